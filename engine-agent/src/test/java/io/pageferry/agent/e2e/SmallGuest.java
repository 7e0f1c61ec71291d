package io.pageferry.agent.e2e;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A QEMU of any arguments with two monitors. Its guest is {@link BareProgram#WRITES}, which starts
 * in no time, writes to its memory and checks it.
 */
final class SmallGuest implements AutoCloseable {
    /** Where the program counts what it wrote, and behind it what it found wrong. */
    private static final String COUNTERS = "xp /2wx 0x7e10";
    private static final Pattern WORD = Pattern.compile("0x(\\p{XDigit}{8})");
    private static final int SECTOR = 512;
    private static final int DISK = 1 << 20;

    private final Path base;
    private final Process process;

    private SmallGuest(Path base, Process process) {
        this.base = base;
        this.process = process;
    }

    /**
     * Starts a QEMU, and returns when it answers.
     *
     * @param base      path prefix of its files
     * @param prefix    a program that runs it, with its arguments; often empty
     * @param arguments of QEMU
     * @throws IOException where it did not start, with its words
     */
    static SmallGuest start(Path base, List<String> prefix, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of("qemu-system-x86_64", "-nodefaults", "-no-user-config",
                "-display", "none", "-accel", "tcg,thread=multi", "-cpu", "qemu64",
                "-name", "small", "-qmp", "unix:" + base + ".qmp,server=on,wait=off",
                "-qmp", "unix:" + base + ".other,server=on,wait=off"));
        command.addAll(arguments);
        File words = new File(base + ".log");
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(new File("/dev/null")).redirectOutput(words).start();
        SmallGuest guest = new SmallGuest(base, process);
        boolean started = false;
        try {
            Poll.until(() -> guest.answers() || !process.isAlive(), () -> "QEMU does not answer");
            started = process.isAlive();
        } finally {
            if (!started) {
                guest.close();
            }
        }
        if (!started) {
            throw new IOException("QEMU did not start: " + Files.readString(words.toPath(),
                    StandardCharsets.ISO_8859_1));
        }
        return guest;
    }

    private boolean answers() {
        try (QemuControl control = other()) {
            control.status();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** What it boots from, given as a disk of virtio: a file that both sides write. */
    static List<String> disk(Path folder) throws IOException {
        Path file = folder.resolve("boot.img");
        if (!Files.exists(file)) {
            byte[] image = new byte[DISK];
            System.arraycopy(BareProgram.WRITES.floppy(), 0, image, 0, SECTOR);
            Files.write(file, image);
            // QEMU opens it again when it takes it over, then as the user that it runs as.
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        }
        return List.of("-m", (BareProgram.WRITES.memory() >> 20) + "M",
                "-drive", "file=" + file + ",format=raw,if=none,id=boot",
                "-device", "virtio-blk-pci,drive=boot,id=boot0,bootindex=0,addr=0x10");
    }

    String uri() {
        return "qemu:" + base + ".qmp";
    }

    /** A client of its second monitor. */
    QemuControl other() throws IOException {
        return QemuControl.connect(Path.of(base + ".other"));
    }

    private long counter(int which) throws IOException {
        try (QemuControl control = other()) {
            String said = control.human(COUNTERS);
            Matcher word = WORD.matcher(said);
            for (int i = 0; i <= which; i++) {
                if (!word.find()) {
                    throw new IOException("no counters in " + said);
                }
            }
            return Long.parseLong(word.group(1), 16);
        }
    }

    /** Waits until it is seen to write on, and has found nothing wrong. */
    void worksOn() throws IOException {
        long before = counter(0);
        Poll.until(() -> counter(0) != before, () -> "the guest does not count");
        long bad = counter(1);
        if (bad != 0) {
            throw new AssertionError(bad + " pages were not as the guest left them");
        }
    }

    /** Types on its keyboard: letters, blanks and ends of lines. */
    void type(String text) throws IOException {
        try (QemuControl control = other()) {
            for (char letter : text.toCharArray()) {
                control.human("sendkey " + switch (letter) {
                    case ' ' -> "spc";
                    case '\n' -> "ret";
                    default -> Character.toString(letter);
                } + " 1");
            }
        }
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Poll.comes(Poll.LIMIT, () -> !process.isAlive());
    }
}
