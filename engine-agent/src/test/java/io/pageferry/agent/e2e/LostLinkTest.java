package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.e2e.FlippingProxy.Wound;
import io.pageferry.agent.e2e.RoughProxy.Harm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The cable between two agents is hurt while a guest that writes moves over it. A sample of
 * migrations; {@code -Dpageferry.full=true} runs them all.
 */
@Tag("full")
@Tag("timing")
class LostLinkTest extends WithRig {
    private static final int MIGRATIONS = Draw.FULL ? 10 : 2;
    private static final int CUTS = 5;
    private static final String GUEST = "workload:48MiB?rate=16MiB/s";

    /** Slots of a channel, each with the longest frame of a batch. */
    private static final long IN_FLIGHT = 16 * (532_520L + 32);

    @Test
    void aRoughCableIsSurvivedUnderWrites() throws IOException {
        int cuts = 0;
        for (int seed = 1; seed <= MIGRATIONS || Draw.FULL && cuts < MIGRATIONS * CUTS; seed++) {
            cuts += moveOverARoughCable(seed);
        }
        assertTrue(cuts >= MIGRATIONS * 3, cuts + " cuts in " + MIGRATIONS + " migrations");
    }

    private int moveOverARoughCable(int seed) throws IOException {
        int channels = seed % 2 == 0 ? 4 : 1;
        Agent target = receive("20s");
        try (RoughProxy proxy = new RoughProxy(target.address(), seed, harms(seed), 6 << 20)) {
            Agent source = move(proxy.address(), "--reconnect-window", "20s",
                    "--channels", Integer.toString(channels), "--codec", "none");
            int exit = source.exit();
            String what = "seed " + seed + ", " + proxy.done() + ": " + source + "\n" + target;
            ObjectNode report = source.report();
            long reconnects = report.at("/reconnects").asLong();
            assertEquals(channels, report.at("/channels").asInt(), what);
            assertTrue(reconnects >= 1 && reconnects <= proxy.done().size(), what);
            assertTrue(report.at("/resentBytes").asLong()
                    <= reconnects * channels * IN_FLIGHT, what);
            System.out.println("seed " + seed + ": " + channels + " channels, " + proxy.done()
                    + ", exit " + exit + ", " + reconnects + " reconnects, "
                    + report.at("/resentBytes").asLong() + " bytes sent twice");
            if (exit == 0) {
                E2e.assertMoved(source, target);
                assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1), what);
            } else {
                // Only a target that was ready may have said no, and then for ever.
                E2e.assertEnds(4, "failed", source);
                target.awaitState("ready");
                target.awaitState("refused");
                E2e.assertEnds(4, "failed", target);
                assertEquals(0, report.at("/guestCheck/failures").asLong(-1), what);
            }
            return proxy.done().size();
        }
    }

    /** Of all kinds; a silent one is noticed after 10 s only, so not in every migration. */
    private static List<Harm> harms(int seed) {
        Random random = new Random(seed);
        List<Harm> harms = new ArrayList<>(List.of(Harm.DROP, Harm.TRUNCATE, Harm.CORRUPT));
        harms.add(seed % 2 == 0 ? Harm.STALL : Harm.CORRUPT);
        while (harms.size() < CUTS) {
            harms.add(Harm.values()[random.nextInt(3)]);
        }
        Collections.shuffle(harms, random);
        return harms;
    }

    @Test
    void aLinkLostInSwitchoverHasTheGuestRunAtOnceAndMoveAfterAll() throws IOException {
        Agent target = receive("20s");
        Wound complete = new Wound(0x22, 1, 42);
        try (FlippingProxy proxy = new FlippingProxy(target.address(), complete)) {
            Agent source = move(proxy.address(), "--reconnect-window", "20s");
            E2e.assertMoved(source, target);
            assertEquals(1, proxy.flipped());
            assertEquals(1, source.report().at("/reconnects").asInt(), source::toString);
            assertEquals(2, source.report().at("/owner/epoch").asInt(), source::toString);
            assertEquals(List.of("negotiating", "precopy", "switchover", "owned", "precopy",
                    "switchover", "granted", "done", "ended"), source.states());
            assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1),
                    target::toString);
        }
    }

    @Test
    void aTargetThatWasReadySaysNoForEver() throws IOException {
        Agent target = receive("20s");
        Wound ready = new Wound(0x23, 1, 41);
        try (FlippingProxy proxy = new FlippingProxy(target.address(), ready)) {
            Agent source = move(proxy.address(), "--reconnect-window", "20s");
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals(1, proxy.flipped());
            assertTrue(source.report().at("/error/reason").asText()
                    .contains("the target does not go on"), source::toString);
            assertEquals("source", source.report().at("/owner/side").asText());
            assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1),
                    source::toString);
        }
    }

    @Test
    void aSourceThatIsGoneIsWaitedForOnlySoLong() throws IOException {
        Agent target = receive("1s");
        Agent source = move(target.address(), "--reconnect-window", "1s");
        target.awaitState("receiving");
        source.kill();
        E2e.assertEnds(4, "failed", target);
        assertTrue(target.report().at("/error/reason").asText().contains("reconnect window"),
                target::toString);
        assertEquals("source", target.report().at("/owner/side").asText(), target::toString);
    }

    @Test
    void timeThatIsUpMeanwhileEndsIt() throws IOException {
        Agent target = receive("20s");
        // Pulled where the first pages go, and never plugged in again.
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.BATCH, 1)) {
            Agent source = move(cable.address(), "--reconnect-window", "20s", "--timeout", "4s",
                    "--bandwidth", "40Mbit/s");
            cable.awaitCut(source);
            E2e.assertEnds(4, "failed", source);
            assertEquals("--timeout is over while the link is lost",
                    source.report().at("/error/reason").asText(), source::toString);
            assertEquals("deadline", source.report().at("/error/code").asText());
            assertEquals("source", source.report().at("/owner/side").asText());
            assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1),
                    source::toString);
        }
    }

    private Agent receive(String window) throws IOException {
        return receive("workload:48MiB", "--reconnect-window", window, "--linger", "300ms");
    }

    private Agent move(String address, String... more) throws IOException {
        return migrate(GUEST, address, with(List.of("--linger", "300ms"), more)
                .toArray(String[]::new));
    }
}
