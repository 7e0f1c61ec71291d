package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * An agent is killed once the guest is granted: nobody knows who owns it until somebody asks the
 * target's journal, or an operator says so. All tests share one guest, as in {@link WhoRunsTest}.
 */
@Tag("timing")
class SettleTest extends WithGuest {
    private DemoQemu waiting;

    @BeforeEach
    void another() throws IOException {
        waiting = rig.waiting(home.machine());
        home.remember();
    }

    @AfterEach
    void onlyOneLives() throws IOException {
        if (waiting != home.qemu()) {
            rig.end(waiting);
        }
        home.livesOn();
    }

    @Test
    void aGrantThatNeverArrivedIsTakenBackByAsking() throws IOException {
        Doubt doubt = killedWhenGranted();
        Agent alone = settle(doubt, 6, "--settle-window", "500ms");
        assertTrue(said(alone, "unknown").contains("--source --target-is-fenced"),
                alone::toString);
        assertPausedInDoubt(doubt);

        Agent later = answering(doubt);
        Agent asked = settle(doubt, 4);
        said(asked, "source");
        stop(later);
        assertEquals("source", entry(status(), doubt, "source").path("owner").asText());
        staysAtTheSource();
    }

    @Test
    void anOperatorTakesTheGuestBack() throws IOException {
        Doubt doubt = killedWhenGranted();
        Agent careless = rig.start("", List.of("settle", doubt.migration(), "--source"));
        assertEquals(2, careless.exit(), careless::toString);
        assertTrue(careless.words().contains("--target-is-fenced"), careless::toString);
        assertPausedInDoubt(doubt);

        said(settle(doubt, 4, "--source", "--target-is-fenced"), "source");
        assertEquals("source", entry(status(), doubt, "source").path("owner").asText());
        staysAtTheSource();
    }

    @Test
    void aGuestThatRunsAtTheTargetIsGivenUpByAsking() throws IOException {
        Agent target = rig.receive(waiting, "active");
        Agent source = rig.migrate(home.qemu(), target, "", "--settle-window", "2s");
        target.awaitHold("active");
        Doubt doubt = new Doubt(migration(target), target.address());
        target.kill();
        E2e.assertEnds(6, "in-doubt", source);
        assertEquals("unknown", source.report().at("/owner/side").asText());
        String remedy = source.report().at("/error/remedy").asText();
        assertTrue(remedy.contains("pageferry settle " + doubt.migration()), remedy);
        assertTrue(remedy.contains("--source --target-is-fenced"), remedy);
        rig.awaitNothingLeft();
        assertEquals("running", Rig.condition(waiting));
        assertPaused(home.qemu());
        Agent status = status();
        assertEquals("unknown", entry(status, doubt, "source").path("owner").asText());
        assertEquals("target", entry(status, doubt, "target").path("owner").asText());

        Agent later = answering(doubt);
        said(settle(doubt, 0), "target");
        stop(later);
        rig.awaitNothingLeft();
        ObjectNode entry = entry(status(), doubt, "source");
        assertEquals("target", entry.path("owner").asText());
        assertTrue(entry.path("settled").asBoolean());
        assertEquals("gone", Rig.condition(home.qemu()));
        assertTrue(Traces.of(waiting.process().pid()).isUntracked());
        home.movedTo(waiting);
    }

    /** The target comes back while the source still asks: nobody has to settle anything. */
    @Test
    void aTargetThatComesBackInTimeEndsTheDoubt() throws IOException {
        Agent target = rig.receive(waiting, "active");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitHold("active");
        Doubt doubt = new Doubt(migration(target), target.address());
        target.kill();
        Agent later = answering(doubt);
        E2e.assertEnds(0, "completed", source);
        stop(later);
        rig.awaitNothingLeft();
        assertEquals("gone", Rig.condition(home.qemu()));
        home.movedTo(waiting);
    }

    /** A migration whose owner is in doubt, and where its target can be asked. */
    private record Doubt(String migration, String address) { }

    private Doubt killedWhenGranted() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "granted");
        source.awaitHold("granted");
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
        Doubt doubt = new Doubt(target.report().path("migrationId").asText(), target.address());
        assertTrue(source.words().contains("pageferry settle " + doubt.migration()),
                source::toString);
        assertEquals("gone", Rig.condition(waiting));
        assertPausedInDoubt(doubt);
        return doubt;
    }

    private void assertPausedInDoubt(Doubt doubt) throws IOException {
        rig.awaitNothingLeft();
        assertPaused(home.qemu());
        Agent status = status();
        ObjectNode entry = entry(status, doubt, "source");
        assertEquals("granted", entry.path("state").asText());
        assertEquals("unknown", entry.path("owner").asText());
        assertEquals("source", entry(status, doubt, "target").path("owner").asText());
    }

    /** Its state was saved, so that is what QEMU calls it. */
    private static void assertPaused(DemoQemu qemu) throws IOException {
        assertEquals("saved", Rig.condition(qemu));
    }

    private void staysAtTheSource() throws IOException {
        rig.awaitNothingLeft();
        home.livesOn();
        home.isAsItWas();
        assertEquals("gone", Rig.condition(waiting));
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
    }

    /** Any receiver on the same state directory answers for what was there before it. */
    private Agent answering(Doubt doubt) throws IOException {
        Agent later = rig.start("", List.of("receive", "image:" + folder.resolve("image"),
                "--listen", doubt.address()));
        later.address();
        return later;
    }

    private static void stop(Agent receiver) throws IOException {
        receiver.signal(Signal.TERM);
        receiver.exit();
    }

    private Agent settle(Doubt doubt, int exit, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("settle", doubt.migration()));
        arguments.addAll(List.of(more));
        Agent settle = rig.start("", arguments);
        assertEquals(exit, settle.exit(), settle::toString);
        return settle;
    }

    /** What was settled; returns the words. */
    private static String said(Agent settle, String owner) throws IOException {
        ObjectNode event = settle.await("settled",
                one -> one.path("event").asText().equals("settled"));
        assertEquals(owner, event.path("owner").asText(), settle::toString);
        return event.path("message").asText();
    }

    private Agent status() throws IOException {
        Agent status = rig.start("", List.of("status"));
        assertEquals(0, status.exit(), status::toString);
        return status;
    }

    private static ObjectNode entry(Agent status, Doubt doubt, String side) throws IOException {
        return status.await("journal of the " + side, event ->
                event.path("migration").asText().equals(doubt.migration())
                && event.path("side").asText().equals(side));
    }

    private String migration(Agent target) throws IOException {
        return status().await("active migration of " + target, event ->
                event.path("state").asText().equals("active")).path("migration").asText();
    }
}
