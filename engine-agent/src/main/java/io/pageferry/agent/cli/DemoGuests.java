package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.AgentProcess;
import io.pageferry.agent.demo.ConsoleFollower;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.GuestLoad;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** The guests of a demo: what moves, where to, and what they found out about themselves. */
abstract class DemoGuests implements AutoCloseable {
    private volatile AgentProcess agent;

    /** URI of the guest at the source. */
    abstract String source();

    /** URI of the guest to be. */
    abstract String target();

    /** Puts {@code guestCheck} of both sides into the source's report. */
    abstract void check(ObjectNode report, JsonNode targetReport) throws IOException;

    @Override
    public abstract void close() throws IOException;

    void source(AgentProcess started) {
        agent = started;
    }

    void stopSource() {
        AgentProcess running = agent;
        if (running != null) {
            running.stop();
        }
    }

    /** Size and load of a QEMU guest. */
    record Shape(long memoryBytes, long workingSet, long bytesPerSecond) { }

    static DemoGuests workload(String memory, String workingSet, String dirtyRate) {
        return new DemoGuests() {
            @Override
            String source() {
                return "workload:" + memory + "?rate=" + dirtyRate + "&set=" + workingSet;
            }

            @Override
            String target() {
                return "workload:" + memory;
            }

            @Override
            void check(ObjectNode report, JsonNode targetReport) {
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

    static DemoGuests qemu(Path kernel, Path folder, Shape shape, Consumer<String> words)
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
        String source() {
            return "qemu:" + from.qmp();
        }

        @Override
        String target() {
            return "qemu:" + to.qmp();
        }

        @Override
        void check(ObjectNode report, JsonNode targetReport) throws IOException {
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
