package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A QEMU whose guest is the 512 bytes of a boot sector. It has two monitors, a disk and room for
 * more memory.
 */
final class BareGuest implements AutoCloseable {
    private static final int COMMAND = 0x7e00;
    private static final int COUNTER = 0x7e10;
    private static final int BAD = 0x7e14;
    private static final long MEASURE_NANOS = 2_000_000_000;

    private final Path base;
    private final Path memory;
    private final BareProgram program;
    private final ProcessMark process;

    private BareGuest(Path base, Path memory, BareProgram program, ProcessMark process) {
        this.base = base;
        this.memory = memory;
        this.program = program;
        this.process = process;
    }

    /** Starts one that boots; returns when it counts. */
    static BareGuest booting(DemoTools tools, Path folder, String name, BareProgram program)
            throws IOException {
        BareGuest guest = start(tools, folder.resolve(name), program, List.of());
        boolean counts = false;
        try {
            guest.countsOn();
            counts = true;
        } finally {
            if (!counts) {
                guest.close();
            }
        }
        return guest;
    }

    /** Starts one that waits for a guest. */
    static BareGuest waiting(DemoTools tools, Path folder, String name, BareProgram program)
            throws IOException {
        return start(tools, folder.resolve(name), program, List.of("-S", "-incoming", "defer"));
    }

    private static BareGuest start(DemoTools tools, Path base, BareProgram program,
            List<String> more) throws IOException {
        Path folder = base.getParent();
        Path memory = Path.of("/dev/shm", "pageferry-bare-" + ProcessHandle.current().pid()
                + "-" + Integer.toHexString(folder.hashCode()) + "-" + base.getFileName());
        Path boot = folder.resolve(program + ".img");
        Path disk = folder.resolve("disk.img");
        if (!Files.exists(boot)) {
            Files.write(boot, program.floppy());
            Files.write(disk, new byte[1 << 20]);
        }
        long mib = program.memory() >> 20;
        List<String> command = new ArrayList<>(List.of(tools.qemu().toString(), "-nodefaults",
                "-no-user-config", "-display", "none", "-accel", "tcg,thread=multi",
                "-cpu", "qemu64", "-m", mib + "M,slots=2,maxmem=" + (mib + 192) + "M",
                "-object", "memory-backend-file,id=ram,share=on,size=" + mib + "M,mem-path="
                        + memory,
                "-machine", "pc,memory-backend=ram", "-device", "pvpanic",
                "-drive", "if=floppy,format=raw,readonly=on,file=" + boot, "-boot", "a",
                "-drive", "if=virtio,format=raw,file=" + disk,
                "-name", "bare", "-daemonize", "-pidfile", base + ".pid",
                "-qmp", "unix:" + base + ".qmp,server=on,wait=off",
                "-qmp", "unix:" + base + ".other,server=on,wait=off"));
        command.addAll(more);
        Path words = Path.of(base + ".log");
        boolean started = false;
        try {
            Process parent = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(words.toFile()).start();
            if (!parent.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS)
                    || parent.exitValue() != 0) {
                parent.destroyForcibly();
                throw new IOException("QEMU did not start: " + Files.readString(words));
            }
            started = true;
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        } finally {
            if (!started) {
                Files.deleteIfExists(memory);
            }
        }
        return new BareGuest(base, memory, program, ProcessMark.of(Long.parseLong(
                Files.readString(Path.of(base + ".pid")).strip())));
    }

    String uri() {
        return "qemu:" + base + ".qmp";
    }

    ProcessMark process() {
        return process;
    }

    /** A client of its second monitor. */
    QemuControl other() throws IOException {
        return QemuControl.connect(Path.of(base + ".other"));
    }

    Path folder() {
        return base.getParent();
    }

    /** Has the guest do something. */
    void tell(char command) throws IOException {
        try (FileChannel ram = FileChannel.open(memory, StandardOpenOption.WRITE)) {
            ram.write(ByteBuffer.wrap(new byte[] {(byte) command}), COMMAND);
        }
    }

    /** So much of its memory does not compress, so that a slow link takes its time. */
    void fill(int bytes, long seed) throws IOException {
        byte[] noise = new byte[bytes];
        new Random(seed).nextBytes(noise);
        try (FileChannel ram = FileChannel.open(memory, StandardOpenOption.WRITE)) {
            ram.write(ByteBuffer.wrap(noise), program.memory() / 2);
        }
    }

    private int count() throws IOException {
        return word(COUNTER);
    }

    /** How often it found something else in its memory than it had written there. */
    int bad() throws IOException {
        return word(BAD);
    }

    private int word(long address) throws IOException {
        ByteBuffer word = ByteBuffer.allocate(Integer.BYTES);
        try (FileChannel ram = FileChannel.open(memory, StandardOpenOption.READ)) {
            ram.read(word, address);
        }
        return word.order(ByteOrder.LITTLE_ENDIAN).getInt(0);
    }

    /** Waits until it is seen to count. */
    void countsOn() throws IOException {
        int before = count();
        Poll.until(() -> count() != before, () -> "the guest does not count");
    }

    /** Measures what it writes while nothing tracks it, by its own count of pages. */
    double bytesPerSecond() throws IOException {
        countsOn();
        int before = count();
        long begin = System.nanoTime();
        // Long enough for a turn of every other process on the machine.
        Poll.until(() -> System.nanoTime() - begin >= MEASURE_NANOS && count() != before,
                () -> "the guest does not count");
        return (count() - before) * 4096 * 1e9 / (System.nanoTime() - begin);
    }

    /** What it says of itself, asked at the second monitor; gone where it ended. */
    String condition() throws IOException {
        if (!process.isAlive()) {
            return "gone";
        }
        try (QemuControl control = other()) {
            return control.status().state().toString();
        } catch (IOException e) {
            if (Poll.comes(Poll.LIMIT, () -> !process.isAlive())) {
                return "gone";
            }
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        process.kill();
        Poll.comes(Poll.LIMIT, () -> !process.isAlive());
        Files.deleteIfExists(memory);
    }
}
