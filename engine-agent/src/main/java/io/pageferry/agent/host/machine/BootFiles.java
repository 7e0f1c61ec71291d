package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a boot loader gives the kernel: {@code root=}, {@code resume=} and the console, in the files
 * that it reads and in those that they are made of. They are changed as texts and not made anew:
 * {@code update-grub} without udev writes the names of this host's devices.
 */
public final class BootFiles {
    private static final List<String> FILES = List.of("/boot/grub/grub.cfg",
            "/boot/grub2/grub.cfg", "/boot/grub/menu.lst", "/boot/extlinux/extlinux.conf",
            "/boot/syslinux/syslinux.cfg", "/etc/kernel/cmdline");
    private static final String ENTRIES = "/boot/loader/entries";
    private static final String VENDORS = "/boot/efi/EFI";
    private static final String DEFAULTS = "/etc/default/grub";
    private static final String RESUME = "/etc/initramfs-tools/conf.d/resume";
    /** Of a fixed length and with its own format: it is looked at alone. */
    private static final List<String> ENVIRONMENTS =
            List.of("/boot/grub/grubenv", "/boot/grub2/grubenv");

    /** In a line that is no comment; {@code set root=} is GRUB's own and names no file in /dev. */
    private static final Pattern DEVICE =
            Pattern.compile("(?<![\\w.-])(root|resume|RESUME)=(/dev/[^\\s\"']+)");
    private static final Pattern ROOT = Pattern.compile("(?<![\\w.-])root=UUID=([^\\s\"']+)");
    private static final Pattern RESUMES =
            Pattern.compile("(?<![\\w.-])(?:resume|RESUME)=UUID=([^\\s\"']+)");
    private static final Pattern COMMAND_LINE = Pattern.compile(
            "^(\\s*(?:linux|linux16|linuxefi|kernel|options|append|APPEND)\\s.*\\S)(\\s*)$");
    private static final Pattern DEFAULT_LINE =
            Pattern.compile("^(GRUB_CMDLINE_LINUX=)(?:\"([^\"]*)\"|'([^']*)'|(\\S*))\\s*$");
    private static final String BY_NAME = "GRUB_DISABLE_LINUX_UUID=true";
    private static final String SERIAL = "console=ttyS";

    private BootFiles() {
    }

    private static List<String> files(SystemTree tree) throws IOException {
        List<String> files = new ArrayList<>(FILES);
        files.addAll(tree.files(ENTRIES, ".conf"));
        for (String vendor : tree.list(VENDORS)) {
            files.add(VENDORS + "/" + vendor + "/grub.cfg");
        }
        return files;
    }

    /**
     * Has them name devices by UUID, and start on the console of a world.
     *
     * @param edits   of the system
     * @param devices which are there
     * @param world   to start on
     * @throws IOException where there is no boot loader's file, or a device is not known
     */
    static void adapt(Edits edits, Devices devices, World world) throws IOException {
        boolean starts = false;
        for (String path : files(edits.tree())) {
            Optional<String> text = edits.read(path);
            if (text.isPresent()) {
                starts |= text.get().contains("root=");
                edits.write(path, adapted(path, text.get(), devices, world),
                        "root by UUID, serial console");
            }
        }
        if (!starts) {
            throw Refusal.of("there is no file of a boot loader in it that names a root"
                    + " (grub.cfg, loader/entries, extlinux.conf)", "mount what holds /boot, or"
                    + " install GRUB there first");
        }
        Optional<String> defaults = edits.read(DEFAULTS);
        if (defaults.isPresent()) {
            edits.write(DEFAULTS, defaults(defaults.get(), devices, world),
                    "root by UUID, serial console");
        }
        Optional<String> resume = edits.read(RESUME);
        if (resume.isPresent()) {
            edits.write(RESUME, named(resume.get(), devices), "resume by UUID");
        }
    }

    private static String adapted(String path, String text, Devices devices, World world)
            throws IOException {
        List<String> lines = new ArrayList<>();
        boolean whole = path.equals("/etc/kernel/cmdline");
        for (String line : text.split("\n", -1)) {
            String named = line.strip().startsWith("#") ? line : named(line, devices);
            Matcher command = COMMAND_LINE.matcher(named);
            if (command.matches() && named.contains("root=")) {
                named = withConsole(command.group(1), world) + command.group(2);
            } else if (whole && !named.isBlank()) {
                named = withConsole(named.stripTrailing(), world);
            }
            lines.add(named);
        }
        return String.join("\n", lines);
    }

    private static String defaults(String text, Devices devices, World world)
            throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            String named = line.strip().startsWith("#") ? line : named(line, devices);
            Matcher command = DEFAULT_LINE.matcher(named);
            if (named.replaceAll("[\"'\\s]", "").equals(BY_NAME)) {
                named = "#" + named;
            } else if (command.matches()) {
                String given = Optional.ofNullable(command.group(2)).or(() -> Optional.ofNullable(
                        command.group(3))).orElseGet(() -> command.group(4));
                named = command.group(1) + '"' + withConsole(given, world).strip() + '"';
            }
            lines.add(named);
        }
        return String.join("\n", lines);
    }

    private static String withConsole(String command, World world) {
        return command.contains(SERIAL) ? command : command + " " + world.consoles();
    }

    private static String named(String text, Devices devices) throws IOException {
        Matcher found = DEVICE.matcher(text);
        StringBuilder named = new StringBuilder();
        int at = 0;
        while (found.find()) {
            named.append(text, at, found.start(2))
                    .append(StableNames.of(found.group(2), devices));
            at = found.end();
        }
        return named.append(text.substring(at)).toString();
    }

    /** {@return whether a kernel is started with an argument} */
    static boolean hasArgument(Edits edits, String argument) throws IOException {
        for (String path : files(edits.tree())) {
            if (edits.read(path).orElse("").contains(argument)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Lists the devices that these files and fstab name.
     *
     * @param edits of the system
     * @return names in {@code /dev}
     * @throws IOException when one cannot be read
     */
    public static List<String> devices(Edits edits) throws IOException {
        List<String> devices = new ArrayList<>();
        List<String> files = new ArrayList<>(files(edits.tree()));
        files.addAll(List.of(DEFAULTS, RESUME));
        for (String path : files) {
            DEVICE.matcher(edits.read(path).orElse("")).results().map(found -> found.group(2))
                    .forEach(devices::add);
        }
        return devices;
    }

    /**
     * Looks whether what a boot will be given is what is there, whoever wrote it.
     *
     * @param edits   of the system: what is planned; behind them what the system's programs wrote
     * @param devices which are there
     * @throws IOException where a root is by a name of a device, or of another system
     */
    static void check(Edits edits, Devices devices) throws IOException {
        List<String> files = new ArrayList<>(files(edits.tree()));
        files.addAll(List.of(DEFAULTS, RESUME));
        files.addAll(ENVIRONMENTS);
        for (String path : files) {
            for (String line : edits.read(path).orElse("").lines().toList()) {
                if (!line.strip().startsWith("#")) {
                    check(path, line, edits, devices);
                }
            }
        }
    }

    private static void check(String path, String line, Edits edits, Devices devices)
            throws IOException {
        for (MatchResult found : DEVICE.matcher(line).results().toList()) {
            String name = found.group(2);
            if (StableNames.isUnstable(name) || name.startsWith("/dev/loop")) {
                throw Refusal.of(path + " has " + found.group() + ", which is no name that holds on"
                        + " another machine", "write root=UUID=… there first (in a grubenv by"
                        + " grub2-editenv)");
            }
        }
        for (MatchResult found : ROOT.matcher(line).results().toList()) {
            if (!devices.root().isEmpty() && !found.group(1).equalsIgnoreCase(devices.root())) {
                throw Refusal.of(path + " starts " + found.group() + ", and the root is "
                        + devices.root(), "mend that entry first, or remove it");
            }
        }
        for (MatchResult found : RESUMES.matcher(line).results().toList()) {
            if (devices.uuids().stream().noneMatch(found.group(1)::equalsIgnoreCase)) {
                edits.warn(path + " has " + found.group() + ", which is not there: a boot waits"
                        + " for it");
            }
        }
    }
}
