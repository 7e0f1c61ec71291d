package io.pageferry.agent.guest.qemu.describe;

import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds what of a command line is its host's: files, sockets, addresses, interfaces, users. */
final class HostThings {
    private static final String FILE = "file";
    private static final String SOCKET = "socket";
    /** Options whose whole value is a file. */
    private static final Map<String, String> WHOLE = Map.ofEntries(Map.entry("hda", "disk"),
            Map.entry("hdb", "disk"), Map.entry("hdc", "disk"), Map.entry("hdd", "disk"),
            Map.entry("cdrom", "disk"), Map.entry("fda", "disk"), Map.entry("fdb", "disk"),
            Map.entry("mtdblock", "disk"), Map.entry("sd", "disk"), Map.entry("pflash", "disk"),
            Map.entry("kernel", FILE), Map.entry("initrd", FILE), Map.entry("dtb", FILE),
            Map.entry("bios", "firmware"), Map.entry("L", "firmware"),
            Map.entry("mem-path", "memory"), Map.entry("pidfile", FILE), Map.entry("D", "log"),
            Map.entry("option-rom", FILE), Map.entry("chroot", "folder"),
            Map.entry("writeconfig", FILE));
    /** Keys, of whichever option, whose value is a path. */
    private static final Map<String, String> PATHS = Map.ofEntries(Map.entry("file.filename",
            "disk"), Map.entry("filename", FILE), Map.entry("path", "path"),
            Map.entry("mem-path", "memory"), Map.entry("romfile", FILE), Map.entry("dir",
            "folder"), Map.entry("logfile", "log"), Map.entry("tftp", "folder"),
            Map.entry("smb", "folder"), Map.entry("script", FILE), Map.entry("downscript", FILE),
            Map.entry("x509-dir", "folder"), Map.entry("sgx-epc", FILE), Map.entry("splash",
            FILE), Map.entry("cancel-path", "path"), Map.entry("vhostdev", "path"),
            Map.entry("rendernode", "path"), Map.entry("evdev", "path"));
    /** Keys whose value is the host's, but no path. */
    private static final Map<String, String> NAMES = Map.ofEntries(Map.entry("ifname",
            "interface"), Map.entry("br", "interface"), Map.entry("host", "address"),
            Map.entry("port", "port"), Map.entry("hostfwd", "address"), Map.entry("guestfwd",
            "address"), Map.entry("localaddr", "address"), Map.entry("server", "address"),
            Map.entry("listen", "address"), Map.entry("mcast", "address"), Map.entry("connect",
            "address"), Map.entry("addr", "address"), Map.entry("websocket", "address"),
            Map.entry("parent", "interface"));
    /** Where some of those keys mean something of the guest. */
    private static final Set<String> GUESTS = Set.of("device", "global", "numa", "machine", "M",
            "cpu", "m", "smp", "rtc", "boot", "object");
    /** Options that name a character device. */
    private static final String[] STREAMS = {"qmp", "qmp-pretty", "monitor", "serial", "parallel",
        "debugcon", "gdb", "vnc"};
    private static final Set<String> SWITCHES = Set.of("on", "off", "yes", "no");
    private static final Set<String> WORDS = Set.of("none", "null", "vc", "mon:stdio", "stdio",
            "pty", "no", "");

    private final StartedWith started;

    HostThings(StartedWith started) {
        this.started = started;
    }

    /** One of them. */
    record Thing(String what, String value) {
        @Override
        public String toString() {
            return "host " + what + ": " + RawText.shown(value);
        }
    }

    /** Gives paths that begin at the source's folder as they are from anywhere. */
    void makeAbsolute(Draft draft) {
        for (Item item : draft.items()) {
            QemuOption option = item.option();
            if (option.value() == null) {
                continue;
            }
            if (WHOLE.containsKey(option.name())) {
                item.replace(new QemuOption(option.name(),
                        absolute(draft, item, option.value())));
            } else if (isParted(option)) {
                OptionValue parts = option.parts();
                OptionValue changed = parts;
                for (Map.Entry<String, String> one : parts.all().entrySet()) {
                    if (isPath(option, one.getKey(), one.getValue())) {
                        changed = changed.with(one.getKey(),
                                absolute(draft, item, one.getValue()));
                    }
                }
                if (!changed.toString().equals(parts.toString())) {
                    item.replace(QemuOption.of(option.name(), changed));
                }
            }
        }
    }

    private String absolute(Draft draft, Item item, String path) {
        String absolute;
        try {
            absolute = started.absolute(path);
        } catch (InvalidPathException e) {
            draft.cannotTell("where " + RawText.shown(path) + " of -" + item.option().name()
                    + " is, as this locale has no such name: write it absolutely");
            return path;
        }
        // QEMU looks for its own firmware in folders of its own.
        if (!absolute.startsWith("/") && !item.option().is("bios", "L", "option-rom")) {
            item.remark("relative to a folder that is not known any more: name it absolutely");
        }
        return absolute;
    }

    private static boolean isParted(QemuOption option) {
        return !option.is("append", "name", "uuid", "smbios", "k", "vga", "trace");
    }

    /** A ROM that has no folder in its name is looked for in QEMU's own. */
    private static boolean isPath(QemuOption option, String key, String value) {
        if (value.isEmpty() || key.equals("romfile") && value.indexOf('/') < 0
                || key.endsWith("script") && value.equals("no")) {
            return false;
        }
        boolean disk = key.equals(FILE) && option.is("drive", "acpitable", "fw_cfg", "object",
                "smbios") && !value.matches("[a-z0-9+-]{2,}:.*");
        return disk || PATHS.containsKey(last(key)) || PATHS.containsKey(key);
    }

    private static String last(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    /** {@return what of an option is its host's} */
    List<Thing> of(QemuOption option) {
        List<Thing> things = new ArrayList<>();
        if (option.is("nographic", "curses") || option.value() != null
                && option.value().endsWith("stdio")) {
            things.add(new Thing("terminal", "a target that is started has none"));
        }
        if (option.value() == null || !isParted(option)) {
            return things;
        }
        if (WHOLE.containsKey(option.name())) {
            things.add(new Thing(WHOLE.get(option.name()), option.value()));
            return things;
        }
        if (option.is("runas")) {
            things.add(new Thing("user", option.value()));
            return things;
        }
        OptionValue parts = option.parts();
        if (option.is(STREAMS)) {
            String first = parts.first().orElse("");
            if (!WORDS.contains(first) && !first.startsWith("chardev:")) {
                things.add(new Thing(SOCKET, first));
            }
        }
        parts.all().forEach((key, value) -> {
            if (isPath(option, key, value)) {
                things.add(new Thing(kind(option, key), value));
            } else if (NAMES.containsKey(last(key)) && !GUESTS.contains(option.name())
                    && !SWITCHES.contains(value)) {
                things.add(new Thing(NAMES.get(last(key)), value));
            }
        });
        return things;
    }

    private static String kind(QemuOption option, String key) {
        if (option.is("drive", "blockdev")) {
            return "disk";
        }
        if (option.is("chardev")) {
            return option.parts().get("backend", true).orElse("").equals(SOCKET) ? SOCKET : FILE;
        }
        return PATHS.getOrDefault(key, PATHS.getOrDefault(last(key), FILE));
    }
}
