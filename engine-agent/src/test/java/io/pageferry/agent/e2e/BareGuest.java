package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.qemu.QemuControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A QEMU whose guest is the 512 bytes of a boot sector: it counts, and does what the byte at
 * {@value #COMMAND} of its memory says, which a test writes there. It has two monitors, a disk and
 * room for more memory.
 */
final class BareGuest implements AutoCloseable {
    /** Panics through the pvpanic device. */
    static final char PANIC = 'P';
    /** Powers off through ACPI. */
    static final char SHUTDOWN = 'S';
    /** Resets through the keyboard controller. */
    static final char RESET = 'R';

    static final long MEMORY = 64L << 20;

    private static final int COMMAND = 0x7e00;
    private static final int COUNTER = 0x7e10;
    private static final int[] BOOT = {
        0x31, 0xc0, 0x8e, 0xd8,             // xor ax,ax; mov ds,ax
        0xa0, 0x00, 0x7e,                   // again: mov al,[0x7e00]
        0x3c, PANIC, 0x74, 0x0f,            // cmp al,'P'; je panic
        0x3c, SHUTDOWN, 0x74, 0x18,         // cmp al,'S'; je shutdown
        0x3c, RESET, 0x74, 0x1c,            // cmp al,'R'; je reset
        0x66, 0xff, 0x06, 0x10, 0x7e,       // inc dword [0x7e10]
        0xeb, 0xea,                         // jmp again
        0xc6, 0x06, 0x00, 0x7e, 0x00,       // panic: mov byte [0x7e00],0
        0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, // mov dx,0x505; mov al,1; out dx,al
        0xeb, 0xdd,                         // jmp again
        0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, // shutdown: mov dx,0x604; mov ax,0x2000
        0xef, 0xf4,                         // out dx,ax; hlt
        0xc6, 0x06, 0x00, 0x7e, 0x00,       // reset: mov byte [0x7e00],0
        0xb0, 0xfe, 0xe6, 0x64, 0xf4,       // mov al,0xfe; out 0x64,al; hlt
    };

    private final Path base;
    private final Path memory;
    private final ProcessMark process;

    private BareGuest(Path base, Path memory, ProcessMark process) {
        this.base = base;
        this.memory = memory;
        this.process = process;
    }

    /** Starts one that boots; returns when it counts. */
    static BareGuest booting(DemoTools tools, Path folder, String name) throws IOException {
        BareGuest guest = start(tools, folder, name, List.of());
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
    static BareGuest waiting(DemoTools tools, Path folder, String name) throws IOException {
        return start(tools, folder, name, List.of("-S", "-incoming", "defer"));
    }

    private static BareGuest start(DemoTools tools, Path folder, String name, List<String> more)
            throws IOException {
        Path base = folder.resolve(name);
        Path memory = Path.of("/dev/shm", "pageferry-bare-" + ProcessHandle.current().pid()
                + "-" + Integer.toHexString(folder.hashCode()) + "-" + name);
        Path boot = folder.resolve("boot.img");
        Path disk = folder.resolve("disk.img");
        if (!Files.exists(boot)) {
            Files.write(boot, sector());
            Files.write(disk, new byte[1 << 20]);
        }
        List<String> command = new ArrayList<>(List.of(tools.qemu().toString(), "-nodefaults",
                "-no-user-config", "-display", "none", "-accel", "tcg,thread=multi",
                "-cpu", "qemu64", "-m", "64M,slots=2,maxmem=256M",
                "-object", "memory-backend-file,id=ram,size=64M,share=on,mem-path=" + memory,
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
            if (!parent.waitFor(30, TimeUnit.SECONDS) || parent.exitValue() != 0) {
                parent.destroyForcibly();
                throw new IOException("QEMU did not start: " + Files.readString(words));
            }
            started = true;
        } catch (InterruptedException interrupted) {
            throw new IOException("interrupted", interrupted);
        } finally {
            if (!started) {
                Files.deleteIfExists(memory);
            }
        }
        return new BareGuest(base, memory, ProcessMark.of(Long.parseLong(
                Files.readString(Path.of(base + ".pid")).strip())));
    }

    /** As large as a floppy of 1.44 MB. */
    private static byte[] sector() {
        byte[] floppy = new byte[1440 << 10];
        for (int i = 0; i < BOOT.length; i++) {
            floppy[i] = (byte) BOOT[i];
        }
        floppy[510] = 0x55;
        floppy[511] = (byte) 0xaa;
        return floppy;
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
            ram.write(ByteBuffer.wrap(noise), MEMORY / 2);
        }
    }

    private int count() throws IOException {
        ByteBuffer word = ByteBuffer.allocate(Integer.BYTES);
        try (FileChannel ram = FileChannel.open(memory, StandardOpenOption.READ)) {
            ram.read(word, COUNTER);
        }
        return word.getInt(0);
    }

    /** Waits until it is seen to count. */
    void countsOn() throws IOException {
        int before = count();
        Poll.until(() -> count() != before, () -> "the guest does not count");
    }

    /** What it says of itself, asked at the second monitor; gone where it ended. */
    String condition() throws IOException {
        if (!process.isAlive()) {
            return "gone";
        }
        try (QemuControl control = other()) {
            return control.status().state().toString();
        }
    }

    @Override
    public void close() throws IOException {
        process.kill();
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (process.isAlive() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        Files.deleteIfExists(memory);
    }
}
