package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.e2e.FlippingProxy.Wound;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One bit is turned over on its way between two agents: a frame is refused by its own checksum, and
 * that counts as a lost link; a page is found when it is read back. No guest runs with it.
 */
class BadLinkTest extends WithRig {
    private static final long MEMORY = 32L << 20;

    /** The types are those of docs/PROTOCOL.md §7; byte 32 is the first of the body. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "the directory of a BATCH,     true,  0x10, 3, 100",
        "the length of a BATCH,        true,  0x10, 2, 5",
        "the body of a ROUND_END,      true,  0x12, 1, 33",
        "the digest of COMPLETE,       true,  0x22, 1, 42",
        "the body of an ACK,           false, 0x11, 2, 40",
        "the digest of READY,          false, 0x23, 1, 41"})
    void aTurnedBitIsFoundByTheChecksumOfItsFrame(String what, boolean fromSource, String type,
            int nth, int at) throws IOException {
        Agent target = receive("workload:32MiB");
        Wound wound = new Wound(Integer.decode(type), nth, at);
        try (FlippingProxy proxy = new FlippingProxy(target.address(), wound)) {
            Agent source = rig.start("ended", List.of("migrate", "workload:32MiB?rate=8MiB/s",
                    "--to", proxy.address(), "--linger", "0s"));
            try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
                source.awaitHold("ended");
                guest.ticksOn();
                source.goOn();
                E2e.assertEnds(4, "failed", source);
            }
            E2e.assertEnds(4, "failed", target);
            assertEquals(1, proxy.flipped(), what);
            assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1),
                    source::toString);
            Agent refuser = fromSource ? target : source;
            assertEquals("corrupt-frame", refuser.report().at("/error/code").asText(),
                    refuser::toString);
        }
        rig.awaitNothingLeft();
    }

    /** Behind the longest directory: its page is owed, and sent again. */
    @Test
    void aTurnedBitOfAPageIsSentAgain() throws IOException {
        Agent target = receive("workload:32MiB");
        Wound wound = new Wound(0x10, 3, 20_000);
        try (FlippingProxy proxy = new FlippingProxy(target.address(), wound)) {
            Agent source = migrate("workload:32MiB?rate=8MiB/s", proxy.address(),
                    "--linger", "500ms");
            E2e.assertMoved(source, target);
            assertEquals(1, proxy.flipped());
            assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1),
                    target::toString);
        }
        rig.awaitNothingLeft();
    }
}
