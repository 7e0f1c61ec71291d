package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A guest whose raw and qcow2 images both sides see. Whatever happens to a move, no file of it is
 * lost, and nobody ever has an image that somebody else has.
 *
 * <p>One hop here; five by {@code mvn verify -pl engine-agent -am -Dtest=SharedDiskTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dpageferry.full=true}
 */
@Tag("full")
@Tag("timing")
class SharedDiskTest extends WithDisks {
    @Override
    DemoQemu target() throws IOException {
        return rig.waiting(home.machine());
    }

    @Test
    void hopsBackAndForth() throws IOException {
        int hops = Draw.FULL ? 5 : 1;
        for (int hop = 1; hop <= hops; hop++) {
            Agent target = rig.receive(waiting, "");
            Agent source = rig.migrate(home.qemu(), target, "");
            E2e.assertMoved(source, target);
            System.out.println("hop " + hop + ", downtime " + source.report().path("downtimeMs"));
            home.movedTo(waiting);
            if (hop < hops) {
                DiskGuest.worksOn(home);
                DiskGuest.assertSound(home, DiskGuest.image(folder, images, "qcow2"));
                waiting = target();
            }
        }
    }

    /** The target has loaded the state, and lives: it has no lock that the source wants back. */
    @Test
    void rollsBackWithTheLoadedTargetAlive() throws IOException {
        Agent target = rig.receive(waiting, "ready");
        Agent source = rig.migrate(home.qemu(), target, "", "--max-switchover", "6s");
        target.awaitHold("ready");
        E2e.assertEnds(4, "failed", source);
        DiskGuest.worksOn(home);
        assertTrue(waiting.process().isAlive());
        target.kill();
        Poll.until(() -> !waiting.process().isAlive(), () -> "the target's guest lives");
    }

    /**
     * Somebody else took the disk in the moment in which it was nobody's. The target's agent dies
     * too, so it is its guard that gives the guest back, and a later receiver that says so.
     */
    @Test
    void runsAsSoonAsTheLockIsFree() throws IOException {
        Agent target = rig.receive(waiting, "active");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitHold("active");
        try (Holder holder = Holder.take(DiskGuest.image(folder, images, "raw"))) {
            target.kill();
            Agent later = rig.start("", List.of("receive", "image:" + folder.resolve("image"),
                    "--listen", target.address()));
            source.await("word of the holder", event ->
                    event.path("message").asText().contains(holder.words()));
            assertEquals("owned", source.states().getLast(), source::toString);
            assertEquals("gone", Rig.condition(waiting));
            later.signal(Signal.TERM);
            later.exit();
        }
        E2e.assertEnds(4, "failed", source);
        assertEquals("source", source.report().at("/owner/side").asText());
    }

    @Test
    void staysPausedPastTheWindowUntilItIsSettled() throws IOException {
        Agent target = rig.receive(waiting, "active");
        Agent source = rig.migrate(home.qemu(), target, "", "--settle-window", "2s");
        target.awaitHold("active");
        String migration;
        try (Holder holder = Holder.take(DiskGuest.image(folder, images, "qcow2"))) {
            target.goOn();
            E2e.assertEnds(6, "in-doubt", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("source", source.report().at("/owner/side").asText());
            assertSays(holder, source.report().at("/error/reason").asText());
            assertSays(holder, target.report().at("/error/reason").asText());
            migration = source.report().path("migrationId").asText();
            assertTrue(source.report().at("/error/remedy").asText()
                    .contains("pageferry settle " + migration), source::toString);
            Agent early = settle(migration, 6);
            assertSays(holder, early.words());
            assertEquals("saved", Rig.condition(home.qemu()));
        }
        settle(migration, 4);
        assertEquals("running", Rig.condition(home.qemu()));
    }

    private Agent settle(String migration, int exit) throws IOException {
        Agent settle = rig.start("", List.of("settle", migration, "--settle-window", "1s"));
        assertEquals(exit, settle.exit(), settle::toString);
        return settle;
    }

    private static void assertSays(Holder holder, String words) {
        assertTrue(words.contains(holder.words()), words);
    }
}
