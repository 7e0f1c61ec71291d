package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.process.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What injection does to a running QEMU guest: nothing that stays, however often, and nothing that
 * hurts, whenever the agent dies, because its guard holds the guest in that moment. A few deaths;
 * {@code -Dpageferry.full=true} has 50.
 */
@Tag("full")
class InjectionTest extends WithGuest {
    private static final int INJECTIONS = 200;
    private static final int DEATHS = Draw.FULL ? 50 : 3;
    private static final int MOST_SPINS = 3000;
    private static final int LOOKS = 1000;

    private ProcessMark guest;

    @BeforeAll
    void find() {
        guest = home.qemu().process();
    }

    @Test
    void twoHundredInjectionsLeaveNothingBehind() throws IOException {
        for (int i = 0; i < INJECTIONS; i++) {
            RemoteUserfault.open(guest.pid()).close();
        }
        home.isAsItWas();
        home.livesOn();
    }

    /**
     * The guard is stopped while it holds the guest, at a point drawn from the seed, so that the
     * agent certainly dies in that moment; then the guard goes on.
     */
    @Test
    void anAgentThatDiesInTheMiddleOfAnInjectionHurtsNobody() throws IOException {
        Random random = Draw.random();
        for (int death = 0; death < DEATHS; death++) {
            Process agent = agent();
            try {
                ProcessMark guard = guardOf(agent);
                stopInTheMiddle(guard, random);
                agent.destroyForcibly();
                Poll.until(() -> !agent.isAlive(), () -> "the agent does not die");
                assertEquals('t', state(guest.pid()), "the guest was not held");
                signal(guard, Signal.CONT);
                Poll.until(() -> !guard.isAlive(), () -> "its guard does not end");
                home.isAsItWas();
                home.livesOn();
            } finally {
                agent.destroyForcibly();
            }
        }
    }

    private Process agent() throws IOException {
        List<String> command = new ArrayList<>(ChildJvm.command(List.of("-Xmx48m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), List.of()));
        command.set(command.size() - 1, InjectingAgent.class.getName());
        command.add(Long.toString(guest.pid()));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("agent").toFile()).start();
    }

    /** Its one child. */
    private static ProcessMark guardOf(Process agent) throws IOException {
        Poll.until(() -> agent.children().findAny().isPresent(), () -> "it has no guard");
        return ProcessMark.of(agent.children().findFirst().orElseThrow().pid());
    }

    private void stopInTheMiddle(ProcessMark guard, Random random) throws IOException {
        Poll.until(() -> {
            Poll.until(() -> holds(guard), () -> "it does not inject");
            int spins = random.nextInt(MOST_SPINS);
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            signal(guard, Signal.STOP);
            Poll.until(() -> Processes.isStopped(guard.pid()), () -> "it does not stop");
            if (isTracer(guard) && state(guest.pid()) == 't') {
                return true;
            }
            signal(guard, Signal.CONT);
            return false;
        }, () -> "never caught in the middle");
    }

    /** Looks for some milliseconds: it holds the guest for less than one at a time. */
    private boolean holds(ProcessMark guard) {
        for (int i = 0; i < LOOKS; i++) {
            if (isTracer(guard)) {
                return true;
            }
        }
        assertTrue(guard.isAlive(), "the guard ended");
        return false;
    }

    private static void signal(ProcessMark process, Signal signal) throws IOException {
        Processes.signal(process.pid(), process.startTicks(), signal);
    }

    /** The kernel names the thread that traces. */
    private boolean isTracer(ProcessMark guard) {
        long tracer = tracer();
        return tracer != 0 && Files.exists(Path.of("/proc/" + guard.pid() + "/task/" + tracer));
    }

    private long tracer() {
        try {
            return Long.parseLong(Files.readString(Path.of("/proc/" + guest.pid() + "/status"),
                    StandardCharsets.ISO_8859_1).lines()
                    .filter(line -> line.startsWith("TracerPid:")).findFirst().orElseThrow()
                    .substring("TracerPid:".length()).strip());
        } catch (IOException e) {
            throw new AssertionError("the guest is gone", e);
        }
    }

    private static char state(long pid) throws IOException {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"),
                    StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (NoSuchFileException e) {
            return 'X';
        }
    }
}
