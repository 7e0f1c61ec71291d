package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.firmware.FirmwareBlocks;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.process.PausedCheck;
import io.pageferry.agent.host.process.PausedTask;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Makes the stream that a target QEMU loads out of {@link SavedDevices} and the firmware: what
 * QEMU's own migration would send, without the RAM of the backends. Its parts are those of
 * migration/savevm.c: a head, the configuration, sections, an empty description.
 */
public final class DeviceSaver {
    /** Key of a source's attribute: how its device state is made. */
    private static final String FORM = "state.form";
    private static final String DEVICES = "devices";

    /** Of QEMU's part. */
    static final Duration LIMIT = Duration.ofSeconds(5);
    /** The magic number and the version, 3. */
    private static final int HEAD_BYTES = 8;
    /** Of the file of the devices. */
    private static final String NAME = "state";
    private static final int MAGIC = 0x5145564d;
    private static final int CONFIGURATION = 7;
    private static final int DESCRIPTION = 6;

    private final long pid;
    private final QemuControl qemu;
    private final String machine;
    private final FirmwareBlocks firmware;
    private final Map<String, String> equal;
    /** Bytes of a stream but for the devices, 0 as long as none was made. */
    private int firmwareBytes;
    /** From the begin of a save until the guest goes on. */
    private PausedTask<byte[]> saving;

    private DeviceSaver(long pid, QemuControl qemu, String machine, FirmwareBlocks firmware)
            throws GuestException {
        this.pid = pid;
        this.qemu = qemu;
        this.machine = machine;
        this.firmware = firmware;
        this.equal = firmware.attributes();
    }

    /**
     * Looks whether a guest can be saved so.
     *
     * @param pid   QEMU's
     * @param alone whether {@link SavedDevices#arePossible}
     * @return empty where QEMU's own migration has to do it, which needs shared RAM
     * @throws GuestException where it needs to be, and cannot
     * @throws QmpException   when the monitor is gone
     */
    static Optional<DeviceSaver> of(long pid, boolean alone, QemuControl qemu, QemuFacts facts,
            QemuMemory memory) throws GuestException, QmpException {
        if (!alone) {
            return Optional.empty();
        }
        boolean shared = facts.memory().stream().allMatch(QemuFacts.Backend::share);
        try {
            FirmwareBlocks found = FirmwareBlocks.find(pid, qemu, facts.memory(),
                    memory.starts());
            return shared && !found.areAllLocated() ? Optional.empty()
                    : Optional.of(new DeviceSaver(pid, qemu, facts.machine(), found));
        } catch (GuestException e) {
            if (shared) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Returns whether a source saves so: its stream demands that x-ignore-shared is off.
     *
     * @param offered what it sent of its guest
     * @return whether it does
     */
    public static boolean isFormOf(GuestDescription offered) {
        return DEVICES.equals(offered.attributes().get(FORM));
    }

    /** What the target has to know of it. */
    Map<String, String> attributes() {
        Map<String, String> attributes = new TreeMap<>(equal);
        attributes.put(FORM, DEVICES);
        return attributes;
    }

    /**
     * Begins to save the state of a paused guest, on a thread of its own, beside the last pages:
     * what it dirties is harvested behind it. Nothing where that was begun already.
     *
     * @param look   at the guest before it is saved
     * @param folder where QEMU may write a file, which is deleted here
     * @param active whether its images are: they are given up then; asked once, and here
     */
    void begin(PausedCheck.Look look, SocketFolder folder, BooleanSupplier active) {
        if (saving == null) {
            boolean given = active.getAsBoolean();
            saving = PausedTask.start("pageferry-save", () -> {
                look.run();
                return save(folder, given);
            });
        }
    }

    /**
     * Waits for the state.
     *
     * @param out receives the stream; not closed here
     */
    void finish(OutputStream out) throws IOException {
        out.write(saving.await(LIMIT.plus(LIMIT)));
    }

    /** Waits until nothing is saved any more: QEMU does other things behind it. */
    void settle() {
        if (saving == null) {
            return;
        }
        try {
            saving.await(LIMIT.plus(LIMIT));
        } catch (IOException e) {
            // Whoever wants the state is told; a guest that goes on needs none.
            return;
        } finally {
            saving = null;
        }
    }

    private byte[] save(SocketFolder folder, boolean active) throws IOException {
        Path file = folder.socket(NAME);
        Files.deleteIfExists(file);
        try (FileChannel saved = folder.file(NAME, pid)) {
            SavedDevices.save(qemu, file, active, LIMIT);
            return stream(read(saved));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static byte[] read(FileChannel saved) throws IOException {
        if (saved.size() > DeviceState.BYTE_LIMIT) {
            throw new IOException("the device state is larger than " + DeviceState.BYTE_LIMIT
                    + " bytes");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) saved.size());
        while (bytes.hasRemaining() && saved.read(bytes) >= 0) {
            // A file is read in as many pieces as the kernel likes.
        }
        return bytes.array();
    }

    /** In one piece: what takes it makes a message of each write. */
    private byte[] stream(byte[] devices) throws IOException {
        if (devices.length < HEAD_BYTES || ByteBuffer.wrap(devices).getInt() != MAGIC) {
            throw new IOException("QEMU saved something else than a device state");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(firmwareBytes + devices.length);
        DataOutputStream stream = new DataOutputStream(bytes);
        stream.write(devices, 0, HEAD_BYTES);
        stream.writeByte(CONFIGURATION);
        byte[] name = machine.getBytes(StandardCharsets.UTF_8);
        stream.writeInt(name.length);
        stream.write(name);
        firmware.write(stream);
        firmwareBytes = Math.max(firmwareBytes, bytes.size());
        stream.write(devices, HEAD_BYTES, devices.length - HEAD_BYTES);
        stream.writeByte(DESCRIPTION);
        stream.writeInt(0);
        return bytes.toByteArray();
    }

    /**
     * Makes ready for the next save, while the guest is this host's. What an attempt that failed
     * saved is forgotten: where the guest stood still before, nobody resumed it, and it may have
     * run since by its operator's word. Once it does what is done of a save here in the pause, so
     * that no code is cold then. Whatever is in the way, the pause says it where it still is so.
     */
    void prepare(SocketFolder folder) {
        settle();
        try {
            folder.make(pid);
            if (firmwareBytes == 0) {
                stream(ByteBuffer.allocate(HEAD_BYTES).putInt(MAGIC).array());
            }
        } catch (IOException e) {
            return;
        }
    }

    /** The guest runs again: nothing is in its way any more. */
    void ran() throws QmpException {
        SavedDevices.unmark(qemu);
    }
}
