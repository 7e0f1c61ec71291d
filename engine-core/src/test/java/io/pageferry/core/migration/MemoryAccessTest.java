package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.SourceLinkFilter;
import io.pageferry.core.testing.TargetLinkFilter;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each side learns how the other one reaches the memory, over whichever link. */
class MemoryAccessTest {
    private static final long WINDOW = 30_000_000_000L;

    private int told;
    private boolean cut;

    private static Harness speaking(long seed) {
        Harness harness = new Harness(seed);
        harness.guest().reachedBy("file");
        harness.incoming().reachedBy("process");
        return harness;
    }

    private static void assertKnown(Harness harness, Optional<String> source,
            Optional<String> target) {
        assertEquals(Result.COMPLETED, harness.run().source().result());
        assertEquals(source, harness.target().figures().sourceAccess());
        assertEquals(target, harness.source().figures().targetAccess());
    }

    @Test
    void bothAreKnownOnBothSides() {
        try (Harness harness = speaking(1)) {
            assertKnown(harness, Optional.of("file"), Optional.of("process"));
        }
    }

    @Test
    void aSideThatDoesNotSayItIsUnknown() {
        try (Harness harness = new Harness(2)) {
            assertKnown(harness, Optional.empty(), Optional.empty());
        }
    }

    /** The first link loses what was said of it, and is then lost itself. */
    @Test
    void theySayItAgainOnANewLink() {
        try (Harness harness = speaking(3)) {
            harness.source(drawn -> drawn.withWindows(WINDOW, drawn.settleNanos()))
                    .target(drawn -> new TargetOptions(drawn.window(), drawn.grantNanos(),
                            drawn.lastWordNanos(), drawn.channels(), WINDOW));
            harness.bendSource(link -> new SourceLinkFilter(link) {
                @Override
                public boolean send(Message message) {
                    return isLost(message) || super.send(message);
                }
            }).bendTarget(link -> new TargetLinkFilter(link) {
                @Override
                public boolean send(Message message) {
                    return isLost(message) || super.send(message);
                }
            }).eachStep(() -> {
                if (!cut && told == 2 && harness.source().state() == SourceState.PRECOPY) {
                    cut = true;
                    harness.links().cut(ErrorCode.LINK_LOST, "cut by the test");
                }
            });
            assertKnown(harness, Optional.of("file"), Optional.of("process"));
            assertEquals(1, harness.source().figures().reconnects());
        }
        assertTrue(cut);
    }

    private boolean isLost(Message message) {
        return message instanceof Message.MemoryAccess && ++told <= 2;
    }
}
