package io.pageferry.agent.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** The guests of a demo: what moves, where to, and what they found out about themselves. */
public abstract class DemoGuests implements AutoCloseable {
    private volatile AgentProcess agent;

    DemoGuests() {
    }

    /** {@return URI of the guest at the source} */
    public abstract String source();

    /** {@return URI of the guest to be} */
    public abstract String target();

    /**
     * Puts {@code guestCheck} of both sides into the source's report.
     *
     * @param report       the source's
     * @param targetReport the target's, or null
     * @throws IOException when a console cannot be read
     */
    public abstract void check(ObjectNode report, JsonNode targetReport) throws IOException;

    @Override
    public abstract void close() throws IOException;

    /**
     * Notes the agent that moves the guest.
     *
     * @param started the source agent
     */
    public void source(AgentProcess started) {
        agent = started;
    }

    /** Has the source agent stop, as Ctrl-C would; from any thread. */
    public void stopSource() {
        AgentProcess running = agent;
        if (running != null) {
            running.stop();
        }
    }

    /**
     * Size and load of a QEMU guest.
     *
     * @param memoryBytes    its RAM
     * @param workingSet     bytes that it writes
     * @param bytesPerSecond how fast
     */
    public record Shape(long memoryBytes, long workingSet, long bytesPerSecond) { }

    /**
     * An embedded guest.
     *
     * @param memory     its size, as on the command line
     * @param workingSet likewise
     * @param dirtyRate  likewise
     * @return the guests
     */
    public static DemoGuests workload(String memory, String workingSet, String dirtyRate) {
        return new DemoGuests() {
            @Override
            public String source() {
                return "workload:" + memory + "?rate=" + dirtyRate + "&set=" + workingSet;
            }

            @Override
            public String target() {
                return "workload:" + memory;
            }

            @Override
            public void check(ObjectNode report, JsonNode targetReport) {
                if (targetReport != null && targetReport.has("guestCheck")) {
                    ObjectNode joined = targetReport.path("guestCheck").deepCopy();
                    joined.set("ticksSource", report.at("/guestCheck/ticksSource"));
                    report.set("guestCheck", joined);
                }
            }

            @Override
            public void close() {
                // The guests went with their agents.
            }
        };
    }

    /**
     * Boots a Linux guest, and a QEMU that waits for it.
     *
     * @param kernel its kernel, or null for the newest in /boot
     * @param folder of sockets and consoles
     * @param shape  of the guest
     * @param words  gets lines on the progress
     * @return the guests, ready and ticking
     * @throws IOException when something is missing or does not start
     */
    public static DemoGuests qemu(Path kernel, Path folder, Shape shape, Consumer<String> words)
            throws IOException {
        DemoMachine machine = new DemoMachine(DemoTools.find(kernel),
                GuestLoad.of(shape.workingSet(), shape.bytesPerSecond(), false),
                shape.memoryBytes());
        words.accept("booting a Linux guest in QEMU, and a QEMU that waits for it");
        return new Qemu(machine, folder);
    }

    /** Two QEMUs and their consoles. */
    private static final class Qemu extends DemoGuests {
        private static final Duration BOOT = Duration.ofMinutes(3);
        private static final Duration TICKS = Duration.ofSeconds(60);
        private static final int SOME = 100;

        private final DemoQemu from;
        private final DemoQemu to;
        private final ConsoleFollower console;

        Qemu(DemoMachine machine, Path folder) throws IOException {
            from = DemoQemu.source(machine, folder.resolve("source"));
            DemoQemu second = null;
            try {
                second = DemoQemu.target(machine, folder.resolve("target"));
            } finally {
                if (second == null) {
                    from.close();
                }
            }
            to = second;
            console = new ConsoleFollower(List.of(from.console(), to.console()));
            if (!console.await(ConsoleFollower::ready, BOOT)
                    || !console.awaitTicks(SOME, TICKS)) {
                close();
                throw new IOException("the guest did not get ready; its console: "
                        + console.problems());
            }
        }

        @Override
        public String source() {
            return "qemu:" + from.qmp();
        }

        @Override
        public String target() {
            return "qemu:" + to.qmp();
        }

        @Override
        public void check(ObjectNode report, JsonNode targetReport) throws IOException {
            console.awaitTicks(SOME, TICKS);
            ConsoleLog whole = ConsoleLog.read(List.of(from.console(), to.console()));
            long here = ConsoleLog.read(from.console()).ticks().size();
            report.putObject("guestCheck").put("ticksSource", here)
                    .put("ticksTarget", whole.ticks().size() - here)
                    .put("lostTicks", whole.lostTicks())
                    .put("failures", whole.bad() + whole.problems().size());
        }

        @Override
        public void close() throws IOException {
            if (console != null) {
                console.close();
            }
            try (from; to) {
                // Both are killed by their process ids.
            }
        }
    }
}
