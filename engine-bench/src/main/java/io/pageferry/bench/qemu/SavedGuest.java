package io.pageferry.bench.qemu;

import io.pageferry.agent.demo.ConsoleFollower;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A guest that booted once, kept as memory and device state: every move begins with a copy, so
 * all peers move the same guest, and one whose guest died leaves the next a living one.
 *
 * <p>The memory is a file without a name by then: it goes with this process, however that ends.
 */
final class SavedGuest implements AutoCloseable {
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int SETTLED_TICKS = 100;
    private static final int CHUNK = 1 << 20;

    private final DemoMachine machine;
    private final Path folder;
    private final FileChannel memory;
    private final ByteBuffer state;

    private SavedGuest(DemoMachine machine, Path folder, FileChannel memory, ByteBuffer state) {
        this.machine = machine;
        this.folder = folder;
        this.memory = memory;
        this.state = state;
    }

    /**
     * Boots it, waits until it is ready and saves it.
     *
     * @param machine of the copies, with its RAM in a file or a private copy of one
     * @param folder  for what its QEMUs need; the caller deletes it
     * @return for the caller to close
     * @throws IOException when it does not boot
     */
    static SavedGuest boot(DemoMachine machine, Path folder) throws IOException {
        FileChannel memory = null;
        boolean saved = false;
        DemoMachine first = new DemoMachine(machine.tools(), machine.load(), machine.memoryBytes(),
                machine.vcpus(), DemoMachine.Memory.FILE, machine.more());
        try (DemoQemu qemu = DemoQemu.source(first, folder.resolve("first"));
                ConsoleFollower console = new ConsoleFollower(List.of(qemu.console()));
                QemuControl control = qemu.control()) {
            if (!console.await(ConsoleFollower::ready, BOOT)
                    || !console.awaitTicks(SETTLED_TICKS, LIMIT)) {
                throw new IOException("the guest did not get ready: " + console.problems());
            }
            memory = FileChannel.open(qemu.memoryFile());
            control.stop();
            control.prepareSource(control.settings());
            ByteArrayOutputStream state = new ByteArrayOutputStream();
            DeviceState.save(control, folder.resolve("state"), state, LIMIT);
            saved = true;
            return new SavedGuest(machine, folder, memory, ByteBuffer.wrap(state.toByteArray()));
        } finally {
            if (!saved && memory != null) {
                memory.close();
            }
        }
    }

    /**
     * Sets a copy running.
     *
     * @param name of its files
     * @return for the caller to close; its RAM is resident, no capability of migration is on
     * @throws IOException when it does not start
     */
    DemoQemu running(String name) throws IOException {
        DemoQemu qemu = start(name, true);
        boolean success = false;
        try (QemuControl control = qemu.control()) {
            Path socket = folder.resolve(name + ".load");
            DeviceState.arm(control, QemuControl.OF_STREAM);
            DeviceState.expect(control, socket);
            DeviceState.load(control, socket, state, LIMIT);
            OwnMove.onlyOn(control, Peer.PLAIN.capabilities());
            if (!control.cont().running()) {
                throw new IOException("the copy of the guest does not run: " + qemu.log());
            }
            success = true;
            return qemu;
        } finally {
            if (!success) {
                qemu.close();
            }
        }
    }

    /**
     * Starts a QEMU that waits for the guest.
     *
     * @param name of its files
     * @return for the caller to close; its RAM is resident and zero
     * @throws IOException when it does not start
     */
    DemoQemu waiting(String name) throws IOException {
        return start(name, false);
    }

    private DemoQemu start(String name, boolean copied) throws IOException {
        Path file = Path.of("/dev/shm", "pageferry-bench-" + ProcessHandle.current().pid() + "-"
                + name);
        boolean success = false;
        try {
            fill(file, copied);
            DemoQemu qemu = DemoQemu.start(machine, folder.resolve(name), file, true);
            success = true;
            return qemu;
        } finally {
            if (!success) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Every page is written: a page of a file that was never written is not resident. */
    private void fill(Path file, boolean copied) throws IOException {
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.WRITE,
                StandardOpenOption.CREATE_NEW);
        try (FileChannel out = FileChannel.open(file, options,
                PosixFilePermissions.asFileAttribute(
                        PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
            for (long at = 0; at < machine.memoryBytes(); at += chunk.limit()) {
                chunk.clear();
                while (copied && chunk.hasRemaining()) {
                    if (memory.read(chunk, at + chunk.position()) < 0) {
                        throw new IOException("the saved memory ended at " + at);
                    }
                }
                chunk.rewind();
                while (chunk.hasRemaining()) {
                    out.write(chunk);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        memory.close();
    }
}
