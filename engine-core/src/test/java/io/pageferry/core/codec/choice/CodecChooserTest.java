package io.pageferry.core.codec.choice;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.choice.CodecPipeline.Content;
import io.pageferry.core.codec.choice.CodecPipeline.Run;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The choice of a codec in a simulated pipeline, whose times are the simulation's own. */
class CodecChooserTest {
    private static final List<Long> SEEDS = List.of(1L, 20_260_101L, 77L);
    private static final double MBIT100 = 12.5e6;
    private static final double GBIT = 125e6;
    private static final double LOOPBACK = 3e9;
    private static final int PAGES = 1 << 17;

    /** More than the window and one span hold, less than two spans more. */
    private static final int STALLED = 2_600;

    /** Nanoseconds for a compressed page, where too few processors are shared by too many. */
    private static final double SLOW_TARGET = 11_000;

    /** Nanoseconds for any page, more than a link of 1 Gbit/s takes for one of LZ4. */
    private static final double SLOW_STORE = 18_000;

    private static final Map<String, Content[]> CONTENTS = Map.of(
            "random", new Content[] {Content.RANDOM},
            "mixed", new Content[] {Content.HALF, Content.RANDOM},
            "text", new Content[] {Content.TEXT},
            "log", new Content[] {Content.LOG});

    @Test
    void isNearTheBetterOfBothOnEveryLinkAndContent() {
        for (long seed : SEEDS) {
            CONTENTS.forEach((name, kinds) -> {
                for (double link : new double[] {MBIT100, GBIT, LOOPBACK}) {
                    String what = name + " at " + link + " B/s, seed " + seed;
                    Run none = run(CodecChoice.NONE, seed, link, kinds);
                    Run lz4 = run(CodecChoice.LZ4, seed, link, kinds);
                    Run adaptive = run(CodecChoice.ADAPTIVE, seed, link, kinds);
                    long best = Math.min(none.nanos(), lz4.nanos());
                    assertTrue(adaptive.nanos() <= 1.1 * best, () -> what + ": " + adaptive
                            + ", none " + none + ", lz4 " + lz4);
                    assertTrue(adaptive.wireBytes() <= none.wireBytes(), what);
                }
            });
        }
    }

    /** Such a target takes as few bytes a second as a slow link would. */
    @Test
    void doesNotTakeASlowTargetForASlowLink() {
        for (long seed : SEEDS) {
            Run none = new CodecPipeline(CodecChoice.NONE, seed, LOOPBACK)
                    .target(SLOW_TARGET, SLOW_TARGET).send(PAGES, Content.LOG);
            Run adaptive = new CodecPipeline(CodecChoice.ADAPTIVE, seed, LOOPBACK)
                    .target(SLOW_TARGET, SLOW_TARGET).send(PAGES, Content.LOG);
            assertTrue(adaptive.nanos() < 1.25 * none.nanos(),
                    () -> adaptive + ", none " + none + ", seed " + seed);
        }
    }

    @Test
    void changesItsMindWithTheLink() {
        for (long seed : SEEDS) {
            CodecPipeline pipeline = new CodecPipeline(CodecChoice.ADAPTIVE, seed, GBIT);
            assertMostly(true, pipeline.send(PAGES, Content.TEXT), "slow", seed);
            pipeline.link(LOOPBACK).send(PAGES, Content.TEXT);
            assertMostly(false, pipeline.send(PAGES, Content.TEXT), "fast", seed);
            pipeline.link(MBIT100).send(PAGES / 4, Content.TEXT);
            assertMostly(true, pipeline.send(PAGES, Content.TEXT), "slow again", seed);
        }
    }

    /** For as long as somebody else had the processor, one span is as slow as a bad link. */
    @Test
    void doesNotTakeAStallForASlowLink() {
        for (long seed : SEEDS) {
            CodecPipeline pipeline = new CodecPipeline(CodecChoice.ADAPTIVE, seed, LOOPBACK);
            pipeline.send(PAGES, Content.TEXT);
            pipeline.link(GBIT).send(STALLED, Content.TEXT);
            Run after = pipeline.link(LOOPBACK).send(STALLED, Content.TEXT);
            assertTrue(after.compressed() < STALLED / 10, () -> after + ", seed " + seed);
        }
    }

    @Test
    void changesItsMindWithTheContent() {
        for (long seed : SEEDS) {
            CodecPipeline pipeline = new CodecPipeline(CodecChoice.ADAPTIVE, seed, GBIT);
            assertEquals(0, pipeline.send(PAGES, Content.RANDOM).compressed());
            pipeline.send(PAGES / 8, Content.HALF);
            assertMostly(true, pipeline.send(PAGES, Content.HALF), "shrinks", seed);
            assertEquals(0, pipeline.send(PAGES, Content.RANDOM).compressed());
            pipeline.send(PAGES / 8, Content.TEXT);
            assertMostly(true, pipeline.send(PAGES, Content.TEXT), "shrinks again", seed);
        }
    }

    @Test
    void leavesPagesThatDoNotShrinkAloneBesideThoseThatDo() {
        CodecChooser chooser = new CodecChooser(CodecChoice.ADAPTIVE, () -> 0);
        int triesOfNoise = 0;
        int triesOfText = 0;
        for (int i = 0; i < 10_000; i++) {
            if (chooser.attempt(true, false) == Attempt.LZ4) {
                triesOfNoise++;
                chooser.tried(CodecPipeline.PAGE);
            }
            if (chooser.attempt(false, false) == Attempt.LZ4) {
                triesOfText++;
                chooser.tried(1_000);
            }
        }
        assertEquals(10_000, triesOfText);
        assertTrue(triesOfNoise < 100, () -> "tried too often");
    }

    @Test
    void noticesNoiseThatShrinksAllTheSame() {
        CodecChooser chooser = new CodecChooser(CodecChoice.ADAPTIVE, () -> 0);
        for (int i = 0; i < 10_000; i++) {
            if (chooser.attempt(true, false) == Attempt.LZ4) {
                chooser.tried(CodecPipeline.PAGE);
            }
        }
        int left = 2 * CodecChooser.MAX_SKIP;
        while (left > 0 && chooser.attempt(true, false) != Attempt.LZ4) {
            left--;
        }
        assertTrue(left > 0, "never tried again");
        chooser.tried(500);
        for (int i = 0; i < 100; i++) {
            assertEquals(Attempt.LZ4, chooser.attempt(true, false));
            chooser.tried(500);
        }
    }

    /** On a slow link zstd pays where it makes less of a page than LZ4, and only there. */
    @Test
    void takesZstdWhereTheLinkIsSlowAndItMakesLess() {
        for (long seed : SEEDS) {
            for (Content kind : List.of(Content.TEXT, Content.LOG, Content.HALF)) {
                for (double link : new double[] {MBIT100, GBIT, LOOPBACK}) {
                    String what = kind + " at " + link + " B/s, seed " + seed;
                    long best = Long.MAX_VALUE;
                    for (CodecChoice fixed : List.of(CodecChoice.NONE, CodecChoice.LZ4,
                            CodecChoice.ZSTD)) {
                        best = Math.min(best, new CodecPipeline(fixed, seed, link).withZstd()
                                .send(PAGES, kind).nanos());
                    }
                    Run adaptive = new CodecPipeline(CodecChoice.ADAPTIVE, seed, link).withZstd()
                            .send(PAGES, kind);
                    assertTrue(adaptive.nanos() <= 1.12 * best, what + ": " + adaptive + ", best "
                            + best);
                    if (link == MBIT100 && kind != Content.HALF) {
                        assertTrue(adaptive.zstd() > 0.8 * PAGES, what + ": " + adaptive);
                    }
                }
            }
        }
    }

    /** A target that is slow by the page takes no more of them when they are smaller. */
    @Test
    void leavesZstdWhereTheTargetIsWhatIsSlow() {
        for (long seed : SEEDS) {
            Run lz4 = new CodecPipeline(CodecChoice.LZ4, seed, GBIT).withZstd()
                    .target(SLOW_TARGET, 4 * SLOW_TARGET).send(PAGES, Content.TEXT);
            Run adaptive = new CodecPipeline(CodecChoice.ADAPTIVE, seed, GBIT).withZstd()
                    .target(SLOW_TARGET, 4 * SLOW_TARGET).send(PAGES, Content.TEXT);
            assertTrue(adaptive.nanos() < 1.15 * lz4.nanos(),
                    () -> adaptive + ", lz4 " + lz4 + ", seed " + seed);
        }
    }

    /** A target may be slow to store a page however it comes, as one is that zeroes huge pages. */
    @Test
    void doesNotCompressHarderForATargetThatIsSlowToStore() {
        for (long seed : SEEDS) {
            Run lz4 = storing(CodecChoice.LZ4, seed, GBIT, SLOW_STORE);
            Run adaptive = storing(CodecChoice.ADAPTIVE, seed, GBIT, SLOW_STORE);
            assertTrue(adaptive.zstd() < PAGES / 100, () -> adaptive + ", seed " + seed);
            assertTrue(adaptive.nanos() <= 1.05 * lz4.nanos(),
                    () -> adaptive + ", lz4 " + lz4 + ", seed " + seed);
        }
    }

    @Test
    void doesNotCompressForSuchATargetOverAFastLink() {
        for (long seed : SEEDS) {
            Run none = storing(CodecChoice.NONE, seed, LOOPBACK, SLOW_STORE / 2);
            Run adaptive = storing(CodecChoice.ADAPTIVE, seed, LOOPBACK, SLOW_STORE / 2);
            assertMostly(false, adaptive, "slow to store", seed);
            assertTrue(adaptive.nanos() <= 1.05 * none.nanos(),
                    () -> adaptive + ", none " + none + ", seed " + seed);
        }
    }

    private static Run storing(CodecChoice choice, long seed, double link, double nanos) {
        return new CodecPipeline(choice, seed, link).withZstd().stores(nanos)
                .send(PAGES, Content.TEXT);
    }

    @Test
    void whatIsFixedIsFixed() {
        assertEquals(0, run(CodecChoice.NONE, 3, MBIT100, Content.TEXT).compressed());
        assertEquals(PAGES, run(CodecChoice.LZ4, 3, LOOPBACK, Content.TEXT).compressed());
    }

    private static Run run(CodecChoice choice, long seed, double link, Content... kinds) {
        return new CodecPipeline(choice, seed, link).send(PAGES, kinds);
    }

    private static void assertMostly(boolean compressed, Run run, String when, long seed) {
        double share = (double) run.compressed() / PAGES;
        assertTrue(compressed ? share > 0.9 : share < 0.15,
                () -> when + ": " + share + " compressed, seed " + seed);
    }
}
