package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The state of all devices in a file, without any RAM, by {@code xen-save-devices-state}: which
 * every QEMU for x86 has, with Xen or without. It starts no migration, so nothing has to be set
 * before and put back behind it, and takes 2 ms where {@link DeviceState} takes 6 to 17.
 *
 * <p>It leaves the guest as paused as it was. So a guest whose state was saved is marked by an
 * object of QEMU: it may run elsewhere.
 */
public final class SavedDevices {
    /** Id of the object that marks a guest: {@code object_del} takes it away. */
    public static final String MARK = "pageferry-saved";

    /** Of the mark: every QEMU has it, and it does nothing. */
    private static final String TYPE = "secret";
    /** Of a file of no bytes. */
    private static final String TRY = "try";
    private static final String COMMAND = "xen-save-devices-state";
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Before, machines had neither a configuration nor ends of sections in their stream. */
    private static final int FIRST_MACHINE = 2_004;
    private static final int MAJOR = 1_000;
    private static final long LOOK_NANOS = 1_000_000;
    private static final Pattern MACHINE = Pattern.compile(".*-(\\d+)\\.(\\d+)(\\D.*)?");

    private SavedDevices() {
    }

    /**
     * Returns whether a guest can be saved so.
     *
     * @param qemu    its monitor
     * @param machine its type with its version
     * @return false where the command is missing, or this machine's stream is another
     * @throws QmpException when the monitor is gone
     */
    public static boolean arePossible(QemuControl qemu, String machine) throws QmpException {
        if (!qemu.qmp().execute("query-target").path("arch").asText().matches("x86_64|i386")) {
            return false; // elsewhere the size of a page is part of the stream
        }
        Matcher version = MACHINE.matcher(machine);
        if (version.matches() && MAJOR * Integer.parseInt(version.group(1))
                + Integer.parseInt(version.group(2)) < FIRST_MACHINE) {
            return false;
        }
        for (JsonNode one : qemu.qmp().execute("query-commands")) {
            if (one.path("name").asText().equals(COMMAND)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Has QEMU write a file in a folder, and leaves neither: what it is not let do (by AppArmor,
     * SELinux or a read-only file system) is found now and not in the pause.
     *
     * @param qemu   its monitor
     * @param folder not there yet
     * @param pid    its process
     * @throws GuestException when it cannot
     * @throws QmpException   when the monitor is gone
     */
    public static void requireWritable(QemuControl qemu, SocketFolder folder, long pid)
            throws GuestException, QmpException {
        try {
            // Made for it as that of the state is, see SocketFolder.
            folder.file(TRY, pid).close();
            qemu.qmp().execute("pmemsave", JSON.objectNode().put("val", 0).put("size", 0)
                    .put("filename", SocketFolder.seenByQemu(folder.socket(TRY))));
        } catch (QmpException e) {
            if (e.kind() != QmpException.Kind.REFUSED) {
                throw e;
            }
            throw new GuestException(ErrorCode.HOST_FAILED, "QEMU (pid " + pid + ") cannot write"
                    + " where its state is to pass: " + e.desc(), "let it write to "
                    + SocketFolder.seenByQemu(folder.path().getParent()) + ", or name a folder to"
                    + " which it and this command can write:"
                    + " PAGEFERRY_OPTS=-Djava.io.tmpdir=DIR");
        } catch (IOException e) {
            throw e instanceof GuestException known ? known : new GuestException(
                    ErrorCode.HOST_FAILED, "cannot close " + folder.socket(TRY) + ": "
                    + e.getMessage(), "look at the folder for temporary files");
        } finally {
            folder.delete();
        }
    }

    /**
     * Saves the state of a paused guest, and marks it.
     *
     * @param qemu   its monitor
     * @param file   overwritten by QEMU, or made in a folder that it may write
     * @param active whether its images are: they are given up then. QEMU aborts where they are
     *               given up a second time
     * @param limit  for all of it
     * @throws QmpException where QEMU refused
     */
    public static void save(QemuControl qemu, Path file, boolean active, Duration limit)
            throws QmpException {
        if (active) {
            // A mark that is there already is refused, which says the same.
            qemu.qmp().tell(List.of(new QmpClient.Command("object-add", JSON.objectNode()
                    .put("qom-type", TYPE).put("id", MARK).put("data", "saved"))));
        }
        qemu.qmp().execute(COMMAND, JSON.objectNode().put("filename", SocketFolder.seenByQemu(file))
                .put("live", active), limit);
    }

    /**
     * Returns whether the state of a guest was saved and it was not let go since by Pageferry.
     *
     * @param qemu its monitor
     * @return whether the mark is there
     * @throws QmpException when the monitor is gone
     */
    public static boolean isMarked(QemuControl qemu) throws QmpException {
        return qemu.property("/objects/" + MARK, "type").asText().equals(TYPE);
    }

    /**
     * Takes the mark away, of a guest that runs again; awaits nothing.
     *
     * @param qemu its monitor
     * @throws QmpException when the monitor is gone
     */
    public static void unmark(QemuControl qemu) throws QmpException {
        qemu.qmp().tell(List.of(new QmpClient.Command("object-del",
                JSON.objectNode().put("id", MARK))));
    }

    /**
     * Asks for QEMU's own leave: a migration to an address that nobody serves. It fails in any
     * case; where nothing else is in the way, by the connection. The guest is not disturbed.
     *
     * @param qemu  its monitor
     * @param limit until the connection failed
     * @return what is in the way, else empty
     * @throws QmpException when the monitor is gone, or the limit is over
     */
    public static String obstacle(QemuControl qemu, Duration limit) throws QmpException {
        long deadline = System.nanoTime() + limit.toNanos();
        try {
            qemu.migrate(Path.of("/proc/pageferry-asks-whether-this-guest-can-be-saved"));
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return e.desc();
        }
        QemuControl.Migration now = qemu.migration();
        while (now.active() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(LOOK_NANOS);
            now = qemu.migration();
        }
        if (now.active()) {
            throw QmpException.of(Kind.TIMEOUT, "QEMU's migration to nowhere does not end");
        }
        return now.desc().contains("Failed to connect") ? "" : now.desc();
    }
}
