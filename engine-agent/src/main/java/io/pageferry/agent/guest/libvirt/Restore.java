package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.QemuProcess;
import io.pageferry.agent.guest.qemu.firmware.HeldBackState;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.agent.host.linux.process.Fifo;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A domain that libvirt restores from a pipe: it starts QEMU and hands it the pipe, from which QEMU
 * waits for its state. libvirt owns the domain from then on, and shows it as paused. Until the end
 * of the state is written, QEMU has neither the disks nor announces the guest, and whoever lets go
 * of the pipe ends it. One thread.
 */
final class Restore implements AutoCloseable {
    private static final long START_NANOS = 30_000_000_000L;
    private static final long LOAD_NANOS = 10_000_000_000L;
    private static final long FINISH_SECONDS = 30;
    private static final long POLL_NANOS = 10_000_000;
    /** A death is reported so late at most. */
    private static final long LOOK_NANOS = 10_000_000;
    private static final String MAGIC = "LibvirtQemudSave";
    /** Version 2 of libvirt's saved images (qemu/qemu_saveimage.h): this and 14 words of 0. */
    private static final int VERSION = 2;
    private static final int UNUSED_WORDS = 14;

    private final SocketFolder folder;
    private final Fifo pipe;
    private final RestoredDomain left;
    private final CompletableFuture<Void> restored = new CompletableFuture<>();
    private final ProcessInstance qemu;
    private boolean beats = true;
    private long lookedNanos = System.nanoTime();

    private Restore(SocketFolder folder, Fifo pipe, LibvirtUri uri, String xml)
            throws IOException {
        this.folder = folder;
        this.pipe = pipe;
        this.left = new RestoredDomain(folder);
        Thread.ofPlatform().daemon().name("libvirt restore").start(() -> {
            // A connection of its own: nobody may close it as long as the call lasts.
            try (LibvirtConnection connection = LibvirtConnection.open(uri.connect())) {
                connection.restorePaused(folder.socket(RestoredDomain.PIPE).toString());
                restored.complete(null);
            } catch (LibvirtException | RuntimeException e) {
                restored.completeExceptionally(e);
            }
        });
        long deadline = System.nanoTime() + START_NANOS;
        BooleanSupplier goesOn = () -> !restored.isDone();
        try {
            pipe.write(head(xml), goesOn, deadline);
            // Once QEMU has read that, all its memory is there, and nothing else was said to it.
            pipe.write(HeldBackState.begin(), goesOn, deadline);
            pipe.awaitRead(goesOn, deadline);
        } catch (IOException e) {
            // A QEMU that came all the same would wait for as long as a guard holds the pipe.
            Optional<ProcessInstance> late = left.reader();
            if (late.isPresent()) {
                QemuProcess.kill(late.get());
            }
            throw restored.isDone() ? new IOException(failure(), e) : e;
        }
        this.qemu = left.reader().orElseThrow(
                () -> new IOException("QEMU does not read its state from the pipe"));
        boolean noted = false;
        try {
            left.started(qemu);
            noted = true;
        } finally {
            if (!noted) {
                end();
            }
        }
    }

    /**
     * Has libvirt start a domain.
     *
     * @param folder   free; deleted by {@link #close}
     * @param uri      names libvirt
     * @param xml      the domain
     * @param injector whose guard holds the pipe too
     * @return the domain, which waits for its state
     * @throws GuestException where libvirt or QEMU does not start it; nothing is left then
     */
    static Restore start(SocketFolder folder, LibvirtUri uri, String xml,
            GuestSetup.Injector injector) throws GuestException {
        Fifo pipe = null;
        boolean started = false;
        try {
            PrivateFiles.createFolder(folder.path());
            pipe = Fifo.create(folder.socket(RestoredDomain.PIPE));
            injector.holdOpen(folder.socket(RestoredDomain.PIPE));
            Restore restore = new Restore(folder, pipe, uri, xml);
            started = true;
            return restore;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "libvirt does not start the domain: "
                    + e.getMessage(), "give a description that fits this host: --xml FILE");
        } finally {
            if (!started) {
                if (pipe != null) {
                    pipe.close();
                }
                folder.delete();
            }
        }
    }

    private static byte[] head(String xml) throws IOException {
        byte[] text = xml.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(MAGIC.getBytes(StandardCharsets.US_ASCII));
        // Numbers as the host has them; it did not run, is not compressed and has no cookie.
        for (int number : new int[] {VERSION, text.length + 1, 0, 0, 0}) {
            out.writeInt(Integer.reverseBytes(number));
        }
        out.write(new byte[UNUSED_WORDS * Integer.BYTES]);
        out.write(text);
        out.write(0);
        return bytes.toByteArray();
    }

    private String failure() {
        Throwable why = restored.isCompletedExceptionally() ? restored.exceptionNow() : null;
        if (why instanceof LibvirtException gone && gone.isConnectionLost()) {
            return "libvirtd went away meanwhile (" + gone.getMessage() + ")";
        }
        return why == null ? "it came without its state" : why.getMessage();
    }

    /** {@return the QEMU} */
    ProcessInstance qemu() {
        return qemu;
    }

    /** Whether QEMU lived when it was last looked at: a duty cycle asks all the time. */
    boolean beats() {
        long now = System.nanoTime();
        if (now - lookedNanos >= LOOK_NANOS) {
            lookedNanos = now;
            beats = qemu.isAlive();
        }
        return beats;
    }

    /** Gives QEMU all but the end, and returns when it has loaded it. */
    void load(byte[] state) throws GuestException {
        long deadline = System.nanoTime() + LOAD_NANOS;
        try {
            pipe.write(HeldBackState.middle(state), this::reads, deadline);
            pipe.awaitRead(this::reads, deadline);
            left.loaded();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "QEMU did not take the device state: "
                    + (restored.isDone() ? failure() : e.getMessage()), "");
        }
    }

    private boolean reads() {
        return qemu.isAlive() && !restored.isDone();
    }

    /**
     * Gives QEMU the end; returns when libvirt has the domain, paused and whole.
     *
     * @throws GuestException where it does not come to that; it did not run
     */
    void finish() throws GuestException {
        boolean interrupted = false;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(FINISH_SECONDS);
        try {
            pipe.write(HeldBackState.end(), this::reads, deadline);
            while (true) {
                try {
                    restored.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (IOException | ExecutionException | TimeoutException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "libvirt did not take the domain over:"
                    + " " + (restored.isDone() ? failure() : "it takes too long"), "");
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends QEMU, and waits until libvirt has noticed. */
    void end() throws GuestException {
        QemuProcess.kill(qemu);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(FINISH_SECONDS);
        while (!restored.isDone() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Lets go of the pipe. */
    @Override
    public void close() {
        pipe.close();
        folder.delete();
    }
}
