package io.pageferry.agent.guest.qemu.describe;

import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a QEMU was started with, as the kernel shows it.
 *
 * @param program its file; that this process cannot see it is no obstacle
 * @param options of its command line
 * @param folder  its current one, for relative paths; {@code /} of one that made itself a daemon
 * @param user    whose it is
 * @param group   likewise
 * @param remarks for people
 */
record StartedWith(String program, List<QemuOption> options, String folder, long user,
        long group, List<String> remarks) {
    private static final String GONE = " (deleted)";
    private static final String LIBVIRT = "libvirt:DOMAIN";
    /** Which of the users in status: the effective one. */
    private static final int EFFECTIVE = 2;

    /**
     * Reads what a process was started with.
     *
     * @param pid     of QEMU
     * @param monitor the path by which it was found: it must be among the arguments
     * @throws GuestException where no file can say what it was started with
     */
    static StartedWith read(long pid, Path monitor) throws GuestException {
        Path proc = Path.of("/proc", Long.toString(pid));
        try {
            List<String> remarks = new ArrayList<>();
            String program = Files.readSymbolicLink(proc.resolve("exe")).toString();
            if (program.endsWith(GONE)) {
                program = program.substring(0, program.length() - GONE.length());
                remarks.add("the program was replaced or deleted since: a target needs a QEMU of"
                        + " this version or newer");
            }
            if (!Files.readSymbolicLink(proc.resolve("ns/mnt")).equals(
                    Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")))) {
                remarks.add("it runs in another mount namespace: paths are those that it sees");
            }
            String status = Files.readString(proc.resolve("status"),
                    StandardCharsets.ISO_8859_1);
            List<QemuOption> options = options(
                    RawText.of(Files.readAllBytes(proc.resolve("cmdline"))));
            StartedWith started = new StartedWith(RawText.of(program), options,
                    RawText.of(Files.readSymbolicLink(proc.resolve("cwd")).toString()),
                    Processes.user(status, EFFECTIVE), group(status), remarks);
            started.requireWhole(pid, monitor);
            started.requireNothingHandedIn();
            return started;
        } catch (IOException e) {
            throw e instanceof GuestException known ? known : new GuestException(
                    ErrorCode.HOST_FAILED, "cannot see what QEMU (pid " + pid
                    + ") was started with: " + e.getMessage(), "run this as root");
        }
    }

    private static long group(String status) throws IOException {
        return Processes.user(status.replaceFirst("(?m)^Uid:.*\n", "")
                .replaceFirst("(?m)^Gid:", "Uid:"), EFFECTIVE);
    }

    /** Each argument ends with a zero byte; the first one is the program. */
    static List<QemuOption> options(String commandLine) {
        String[] words = commandLine.split("\0", -1);
        return words.length < 2 ? List.of()
                : QemuOption.parse(List.of(words).subList(1, words.length - 1));
    }

    /** A title that a process gives itself takes the place of its arguments. */
    void requireWhole(long pid, Path monitor) throws GuestException {
        String name = RawText.of(monitor.getFileName().toString());
        boolean named = options.stream().anyMatch(one -> one.value() != null
                && one.parts().toString().replace(",,", ",").contains(name));
        if (!named) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the command line of QEMU (pid "
                    + pid + ") names no monitor " + monitor + ": it was written over, or its"
                    + " options come from a file (-readconfig)",
                    "write down by hand what it was started with");
        }
        Optional<QemuOption> file = options.stream().filter(one -> one.is("readconfig"))
                .findFirst();
        if (file.isPresent()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "QEMU (pid " + pid + ") has options"
                    + " from a file (-readconfig " + RawText.shown(file.get().value())
                    + "), and what of it is in use cannot be told",
                    "start it with those options on its command line");
        }
    }

    /** What another process opened has no name that a target could open. */
    void requireNothingHandedIn() throws GuestException {
        for (QemuOption one : options) {
            if (one.is("incoming")) {
                continue;
            }
            String handed = one.is("add-fd") ? "fd" : handed(one.parts());
            if (!handed.isEmpty()) {
                throw handedIn("-" + one.name() + " " + RawText.shown(one.value()));
            }
        }
    }

    static GuestException handedIn(String what) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, "who started this QEMU gave it open"
                + " descriptors, which no command line can name: " + what,
                "where libvirt started it, use " + LIBVIRT);
    }

    private static String handed(OptionValue value) {
        for (Map.Entry<String, String> one : value.all().entrySet()) {
            String key = one.getKey().replaceFirst(".*\\.", "");
            boolean descriptor = key.matches("(vhost|sock|tls-?)?fds?")
                    && !one.getValue().isEmpty();
            if (descriptor || one.getValue().startsWith("/dev/fdset/")) {
                return one.getKey();
            }
        }
        return value.first().filter(first -> first.matches("/dev/fdset/.*|fd:.*")).orElse("");
    }

    /**
     * A path as it is from any folder; as it was where nothing of that name is to be found.
     *
     * @throws java.nio.file.InvalidPathException where this JVM's locale cannot say it
     */
    String absolute(String path) {
        String from = folder + "/" + path;
        return path.startsWith("/") || folder.equals("/") || RawText.decoded(from).filter(
                name -> Files.exists(Path.of(name), LinkOption.NOFOLLOW_LINKS)).isEmpty()
                ? path : from;
    }
}
