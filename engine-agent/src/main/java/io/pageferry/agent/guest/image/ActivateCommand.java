package io.pageferry.agent.guest.image;

import io.pageferry.agent.host.linux.CoreDumps;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The operator's command over a complete image, run by {@code /bin/sh -c}. It inherits stderr, and
 * its stdout goes there too: stdout is the events'. It may take as long as it likes, until a stop
 * is asked for. What it leaves running in the background is its own affair.
 */
final class ActivateCommand implements AutoCloseable {
    /** From the request to end to the end by force. */
    private static final long GRACE_NANOS = 5_000_000_000L;

    private static final String VARIABLE = "PAGEFERRY_";

    /**
     * Hands stdout over to stderr, whatever that is, before the command is looked at. What it
     * starts is no agent: its core dumps are as they were.
     */
    private static final String SHELL = "echo \"$2\" > /proc/self/coredump_filter 2>/dev/null;"
            + " exec /bin/sh -c \"$1\" >&2";

    private final Process process;
    private final Path image;

    /** Its processes at the request to end: one that outlives its shell is no descendant then. */
    private List<ProcessHandle> stopped = List.of();
    private long stoppedAt;

    private ActivateCommand(Process process, Path image) {
        this.process = process;
        this.image = image;
    }

    /**
     * Starts the command.
     *
     * @param text  of the shell
     * @param image the image's file
     * @param table what is in it
     * @param ran   whether the guest ran when it was moved
     * @return the command, to be polled and closed
     * @throws GuestException when there is no shell to start it
     */
    static ActivateCommand start(String text, Path image, ImageTable table, boolean ran)
            throws GuestException {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", SHELL, "activate", text,
                CoreDumps.usual())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        describe(builder.environment(), image, table);
        builder.environment().put(VARIABLE + "GUEST_RAN", ran ? "1" : "0");
        try {
            return new ActivateCommand(builder.start(), image);
        } catch (IOException e) {
            throw failed(ErrorCode.HOST_FAILED, "the command of --activate could not be started: "
                    + e.getMessage(), image);
        }
    }

    /** The variables of docs/OPERATIONS.md. */
    private static void describe(Map<String, String> variables, Path image, ImageTable table) {
        variables.keySet().removeIf(name -> name.startsWith(VARIABLE + "REGION"));
        variables.put(VARIABLE + "IMAGE", image.toString());
        variables.put(VARIABLE + "STATE", MemoryImageFiles.state(image).toString());
        variables.put(VARIABLE + "TABLE", MemoryImageFiles.table(image).toString());
        variables.put(VARIABLE + "GUEST_KIND", plain(table.guest().kind()));
        variables.put(VARIABLE + "GUEST_NAME", plain(table.guest().name()));
        variables.put(VARIABLE + "MEMORY_BYTES",
                Long.toString(table.guest().regions().totalBytes()));
        variables.put(VARIABLE + "DIGEST",
                table.digests() == null ? "" : ImageTable.hex(table.digests().digest()));
        List<Region> regions = table.guest().regions().regions();
        variables.put(VARIABLE + "REGIONS", Integer.toString(regions.size()));
        long offset = 0;
        for (int i = 0; i < regions.size(); i++) {
            String of = VARIABLE + "REGION_" + i + "_";
            variables.put(of + "NAME", plain(regions.get(i).name()));
            variables.put(of + "OFFSET", Long.toString(offset));
            variables.put(of + "SIZE", Long.toString(regions.get(i).size()));
            variables.put(of + "GUEST_BASE",
                    "0x" + Long.toHexString(regions.get(i).guestBase()));
            offset += regions.get(i).size();
        }
    }

    /** A peer's word: nothing in it ends a line or a variable. */
    private static String plain(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    /**
     * Looks at it.
     *
     * @param stop whether it is to end now
     * @return true once it ended with 0; false while it goes on
     * @throws GuestException when it ended with anything else
     */
    boolean poll(boolean stop) throws GuestException {
        if (stop && (process.isAlive() || !stopped.isEmpty())) {
            stop();
        }
        if (process.isAlive() || isAnyLeft()) {
            return false;
        }
        int exit = process.exitValue();
        if (exit == 0) {
            return true;
        }
        if (!stopped.isEmpty()) {
            throw failed(ErrorCode.CANCELLED, "the command of --activate was stopped", image);
        }
        throw failed(ErrorCode.GUEST_FAILED, "the command of --activate ended with " + exit,
                image);
    }

    /** A zombie that is not reaped counts as alive, but only for so long. */
    private boolean isAnyLeft() {
        return !stopped.isEmpty() && System.nanoTime() - stoppedAt < 2 * GRACE_NANOS
                && stopped.stream().anyMatch(ProcessHandle::isAlive);
    }

    private void stop() {
        if (stopped.isEmpty()) {
            stoppedAt = System.nanoTime();
            stopped = family();
            stopped.forEach(ProcessHandle::destroy);
        } else if (System.nanoTime() - stoppedAt >= GRACE_NANOS) {
            endAll();
        }
    }

    /** Processes started since are among them only while their shell or another parent lives. */
    private void endAll() {
        Stream.concat(stopped.stream(), family().stream())
                .flatMap(one -> Stream.concat(Stream.of(one), one.descendants()))
                .forEach(ProcessHandle::destroyForcibly);
    }

    /** The shell passes no signal on, and would go on with its next line: it comes first. */
    private List<ProcessHandle> family() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    }

    static GuestException failed(ErrorCode code, String what, Path image) {
        return new GuestException(code, what, "the guest is complete in " + image + " and the"
                + " source's has ended: see what the command said, and run it by hand");
    }

    /** Ends it where it still runs. */
    @Override
    public void close() {
        if (process.isAlive() || !stopped.isEmpty()) {
            endAll();
        }
    }
}
