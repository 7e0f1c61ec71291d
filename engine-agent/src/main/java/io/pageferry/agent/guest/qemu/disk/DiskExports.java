package io.pageferry.agent.guest.qemu.disk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The disks of a QEMU that waits for a guest, offered by its own NBD server on a UNIX socket as
 * long as they are being filled. One thread.
 */
public final class DiskExports {
    /** Begins the attributes by which a source names its disks, with their sizes. */
    static final String ATTRIBUTE = "storage.";
    /** Begins everything that is added to a QEMU. */
    static final String PREFIX = "pageferry-";
    /** Of the socket. */
    private static final String NAME = "nbd";
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final QemuControl qemu;
    private final long pid;
    private final SocketFolder folder;
    private int count;

    /**
     * Makes it; nothing is asked or changed.
     *
     * @param qemu   the target
     * @param pid    its process
     * @param folder where its NBD server is to listen; made with it
     */
    public DiskExports(QemuControl qemu, long pid, SocketFolder folder) {
        this.qemu = qemu;
        this.pid = pid;
        this.folder = folder;
    }

    /**
     * Offers the disks that a source wants to fill, and changes nothing where there are none.
     *
     * @param attributes of the offer, unchecked
     * @throws GuestException when one is not here, or has another size, or is held
     * @throws QmpException   when QEMU does not answer
     */
    public void open(Map<String, String> attributes) throws GuestException, QmpException {
        Map<String, String> wanted = new TreeMap<>();
        attributes.forEach((key, value) -> {
            if (key.startsWith(ATTRIBUTE)) {
                wanted.put(key.substring(ATTRIBUTE.length()), value);
            }
        });
        if (wanted.isEmpty()) {
            return;
        }
        List<Disk> here = Disk.of(qemu);
        for (Map.Entry<String, String> one : wanted.entrySet()) {
            require(here, one.getKey(), one.getValue());
        }
        try {
            serve(here.stream().filter(disk -> wanted.containsKey(disk.name())).toList());
        } catch (QmpException e) {
            close();
            // QEMU reports "read-only" for what it could not lock for writing, without the holder.
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the disks here cannot be filled: "
                    + e.getMessage() + ": " + DiskLockHolders.describe(pid),
                    "give the target images of its own that nobody else has open, by absolute"
                    + " paths");
        }
    }

    private static void require(List<Disk> here, String name, String size)
            throws GuestException {
        Disk disk = here.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow(
                () -> new GuestException(ErrorCode.GUEST_MISMATCH, "the guest's disk " + name
                + " is not here, or is read-only here",
                "start the target with the source's -drive or -blockdev, with"
                + " an image of its own: qemu-img create -f qcow2 FILE " + size));
        if (!Long.toString(disk.size()).equals(size)) {
            // A guest would see its disk grow; and QEMU mirrors between equal sizes only.
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "disk " + name + " has " + size
                    + " bytes at the source and " + disk.size() + " at the target",
                    "qemu-img create -f " + disk.format() + " " + disk.file() + " " + size
                    + ", and start the target again");
        }
    }

    private void serve(List<Disk> disks) throws GuestException, QmpException {
        Path socket = folder.given(NAME, pid);
        ObjectNode address = JSON.objectNode();
        address.putObject("addr").put("type", "unix").putObject("data")
                .put("path", SocketFolder.seenByQemu(socket));
        count = disks.size();
        qemu.qmp().execute("nbd-server-start", address);
        try {
            folder.take(NAME, pid);
        } catch (IOException e) {
            close();
            throw new GuestException(ErrorCode.GUEST_FAILED, "the disks here cannot be filled: "
                    + e.getMessage(), "start the target again");
        }
        for (int i = 0; i < disks.size(); i++) {
            qemu.qmp().execute("block-export-add", JSON.objectNode().put("type", "nbd")
                    .put("id", PREFIX + i).put("node-name", disks.get(i).node())
                    .put("name", PREFIX + i).put("writable", true));
        }
    }

    /** {@return how many are offered} */
    public int count() {
        return count;
    }

    /** {@return where the NBD server listens} */
    public Path socket() {
        return folder.socket(NAME);
    }

    /** Ends the NBD server: what it took is in the images. Does nothing where there is none. */
    public void close() {
        if (count > 0) {
            count = 0;
            try {
                cleanUp(qemu);
            } catch (QmpException e) {
                // A QEMU that cannot be reached now cannot be started either.
            }
            delete(socket());
        }
    }

    /**
     * Ends what a dead agent made a target's QEMU offer.
     *
     * @param qemu the target
     * @throws QmpException when QEMU does not answer
     */
    public static void cleanUp(QemuControl qemu) throws QmpException {
        for (JsonNode export : qemu.qmp().execute("query-block-exports")) {
            if (export.path("id").asText().startsWith(PREFIX)) {
                // That ends its exports too.
                qemu.qmp().execute("nbd-server-stop");
                return;
            }
        }
    }

    static void delete(Path socket) {
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            // A socket without a listener does no harm.
            return;
        }
    }
}
