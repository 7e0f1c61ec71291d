package io.pageferry.agent.guest.qemu.start;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An option of QEMU's command line. Strings are {@link RawText}.
 *
 * @param name  without dashes
 * @param value what follows, null of an option that takes none
 */
public record QemuOption(String name, String value) {
    /** Those that take no value (qemu-options.hx, 7.2 and some older and newer). */
    private static final Set<String> ALONE = Set.of("h", "help", "version", "S", "s", "snapshot",
            "no-fd-bootchk", "no-acpi", "no-hpet", "no-reboot", "no-shutdown", "daemonize",
            "singlestep", "enable-kvm", "usb", "nographic", "curses", "full-screen", "alt-grab",
            "ctrl-grab", "no-quit", "no-frame", "portrait", "win2k-hack", "rtc-td-hack",
            "preconfig", "nodefaults", "nodefconfig", "no-user-config", "no-kvm", "tdf",
            "no-kvm-irqchip", "no-kvm-pit", "mem-prealloc", "old-param", "semihosting",
            "enable-fips", "enable-sync-profile", "xen-attach", "xen-domid-restrict", "perfmap",
            "jitdump", "async-teardown", "only-migratable", "sdl", "bt");

    /**
     * Cuts a command line.
     *
     * @param words without the program
     */
    public static List<QemuOption> parse(List<String> words) {
        List<QemuOption> options = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("-") || word.length() == 1) {
                // A disk without an option is the first one, as of -hda.
                options.add(new QemuOption("hda", word));
                continue;
            }
            String name = word.substring(word.startsWith("--") ? 2 : 1);
            boolean valued = !ALONE.contains(name) && i + 1 < words.size();
            options.add(new QemuOption(name, valued ? words.get(++i) : null));
        }
        return options;
    }

    public static QemuOption of(String name, OptionValue value) {
        return new QemuOption(name, value.toString());
    }

    public boolean is(String... names) {
        return List.of(names).contains(name);
    }

    /** Its value in parts; an empty one of an option that takes none. */
    public OptionValue parts() {
        return OptionValue.parse(value == null ? "" : value);
    }

    /** The id of what it makes, where it has one. */
    public Optional<String> id() {
        return value == null ? Optional.empty() : parts().get("id");
    }

    public List<String> words() {
        return value == null ? List.of("-" + name) : List.of("-" + name, value);
    }

    @Override
    public String toString() {
        return Words.print(words());
    }
}
