package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.TargetLinkFilter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/**
 * The checks that can fail: each fault happens behind the checksum of the frame, where only
 * reading the image back can see it, and each must end with the guest running at the source, the
 * page named and nothing loaded.
 */
class FaultsFoundTest {
    private static final int SEEDS = 15;
    private static final int NONE = -1;

    /** A link that does something to one page, and remembers which. */
    private abstract static class Fault extends TargetLinkFilter {
        protected final Harness harness;
        protected long page = NONE;
        private boolean told;

        Fault(TargetLink link, Harness harness) {
            super(link);
            this.harness = harness;
        }

        @Override
        protected void deliver(Message message, LinkHandler handler) {
            told |= message instanceof Message.Cancel;
            super.deliver(message, handler);
        }
    }

    @Test
    void aByteFlippedByACodec() {
        everySeed(NONE, (link, harness) -> new Fault(link, harness) {
            @Override
            protected void deliver(PageBatch batch, LinkHandler handler) {
                // Each time that it is sent: once is only damage, and is sent again.
                int raw = page == NONE ? indexOf(batch, PageCodec.RAW) : placeOf(batch, page);
                if (raw != NONE) {
                    page = PageBatch.pageOf(batch.descriptorAt(raw));
                    MemorySegment payload = batch.payload();
                    long at = offsetOf(batch, raw) + 777;
                    payload.set(ValueLayout.JAVA_BYTE, at,
                            (byte) (payload.get(ValueLayout.JAVA_BYTE, at) ^ 4));
                }
                super.deliver(batch, handler);
            }
        });
    }

    @Test
    void aPageAtTheWrongAddress() {
        everySeed(NONE, (link, harness) -> new Fault(link, harness) {
            @Override
            protected void deliver(PageBatch batch, LinkHandler handler) {
                long end = harness.guest().memory().regions().endPage(batch.region());
                for (int i = 0; i < batch.count() && page == NONE; i++) {
                    long victim = PageBatch.pageOf(batch.descriptorAt(i));
                    if (victim + 1 < end) {
                        page = victim;
                        batch.setEntry(i, batch.descriptorAt(i) + 1, batch.checksumAt(i),
                                batch.referenceAt(i));
                    }
                }
                super.deliver(batch, handler);
            }
        });
    }

    @Test
    void aBatchAcknowledgedAndNotApplied() {
        everySeed(NONE, (link, harness) -> new Fault(link, harness) {
            @Override
            protected void deliver(PageBatch batch, LinkHandler handler) {
                if (page == NONE) {
                    page = PageBatch.pageOf(batch.descriptorAt(0));
                    batch.received(0, 0);
                }
                super.deliver(batch, handler);
            }
        });
    }

    @Test
    void anOlderVersionAppliedAfterANewer() {
        everySeed(0, (link, harness) -> new Fault(link, harness) {
            private byte[] older;

            @Override
            public void applied(PageBatch batch) {
                boolean has = has(batch, 0);
                if (has && older == null) {
                    older = harness.incoming().image().read(0);
                } else if (has) {
                    page = 0;
                    harness.incoming().image().write(0, older);
                }
                super.applied(batch);
            }
        });
    }

    @Test
    void theLastPagesDropped() {
        everySeed(0, (link, harness) -> new Fault(link, harness) {
            @Override
            protected void deliver(PageBatch batch, LinkHandler handler) {
                if (harness.source().state() == SourceState.SWITCHOVER) {
                    // The first that differs is named, and channels overtake each other.
                    long first = PageBatch.pageOf(batch.descriptorAt(0));
                    page = page == NONE ? first : Math.min(page, first);
                    batch.received(0, 0);
                }
                super.deliver(batch, handler);
            }
        });
    }

    /** Runs a fault on several seeds. Page {@code busy} is written until the pause. */
    private static void everySeed(int busy, BiFunction<TargetLink, Harness, Fault> fault) {
        for (long seed = 0; seed < SEEDS; seed++) {
            try (Harness harness = new Harness(seed)) {
                Fault[] made = new Fault[1];
                harness.writes(0).source(FaultsFoundTest::uncompressed).bendTarget(link -> {
                    made[0] = fault.apply(link, harness);
                    return made[0];
                });
                harness.guest().stateTakes(0, 0);
                int pages = harness.guest().workload().pages();
                for (int page = 0; page < pages; page += 3) {
                    harness.guest().writeData(page);
                }
                harness.eachStep(() -> {
                    if (busy != NONE && harness.guest().isRunning()
                            && harness.source().state() != SourceState.OWNED
                            && harness.source().state() != SourceState.ENDED) {
                        harness.guest().writeData(busy);
                    }
                });
                Harness.Ends ends = harness.run();
                assertFound(harness, ends, made[0]);
            }
        }
    }

    private static SourceOptions uncompressed(SourceOptions drawn) {
        return drawn.withPages(CodecChoice.NONE, drawn.channels());
    }

    private static void assertFound(Harness harness, Harness.Ends ends, Fault fault) {
        long page = fault.page;
        String what = "seed " + harness.seed() + ", page " + page + ": " + ends + "; "
                + harness.log();
        assertTrue(page != NONE, "the fault never happened; " + what);
        assertEquals(Result.FAILED, ends.source().result(), what);
        assertEquals(ErrorCode.DIGEST_MISMATCH, ends.source().code(), what);
        assertTrue(ends.source().reason().contains("page " + page + " ("), what);
        // A page that was owed too often ends it at the source, and a full link drops its CANCEL.
        boolean untold = ends.source().reason().contains("arrived damaged") && !fault.told;
        assertEquals(untold ? ErrorCode.LINK_LOST : ErrorCode.DIGEST_MISMATCH,
                ends.target().code(), what);
        assertFalse(harness.incoming().isLoaded(), what);
        assertTrue(harness.guest().isRunning(), what);
        assertEquals(1, harness.log().count("target.discard"), what);
        assertFalse(harness.sourceJournal().states().contains(JournalState.GRANTED), what);
        assertFalse(harness.targetJournal().states().contains(JournalState.PREPARED), what);
    }

    private static boolean has(PageBatch batch, long page) {
        return placeOf(batch, page) != NONE;
    }

    private static int placeOf(PageBatch batch, long page) {
        for (int i = 0; i < batch.count(); i++) {
            if (PageBatch.pageOf(batch.descriptorAt(i)) == page) {
                return i;
            }
        }
        return NONE;
    }

    private static int indexOf(PageBatch batch, int codec) {
        for (int i = 0; i < batch.count(); i++) {
            if (PageBatch.codecOf(batch.descriptorAt(i)) == codec) {
                return i;
            }
        }
        return NONE;
    }

    private static long offsetOf(PageBatch batch, int index) {
        long at = 0;
        for (int i = 0; i < index; i++) {
            at += PageBatch.lengthOf(batch.descriptorAt(i));
        }
        return at;
    }
}
