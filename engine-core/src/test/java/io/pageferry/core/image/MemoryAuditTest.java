package io.pageferry.core.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.Message;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.SlowMemory;
import io.pageferry.core.testing.TestImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How an audit asks: a target waits 30 s for the next question, and a disk may be slow. */
class MemoryAuditTest {
    private static final int PAGES = 2000;
    private static final int STEP = 100;
    private static final int PARTS = 50;
    private static final long SECOND = 1_000_000_000;
    private static final long SEED = Long.getLong("pageferry.test.seed", 7);

    private final List<Message.PageChecksumsRequest> questions = new ArrayList<>();
    private long now = 40 * SECOND;

    @Test
    void slowMemoryIsAskedForInParts() {
        assertEquals(0, audit(3 * SECOND, -1));
        assertTrue(questions.size() >= PARTS, questions::toString);
    }

    @Test
    void fastMemoryIsAskedForAtOnce() {
        assertEquals(0, audit(SECOND / PAGES, -1));
        assertTrue(questions.size() <= 2, questions::toString);
    }

    @Test
    void aPageThatDiffersIsFoundInAnyPart() {
        Random random = new Random(SEED);
        for (int i = 0; i < 20; i++) {
            assertEquals(1, audit(random.nextLong(2 * SECOND), random.nextInt(PAGES)),
                    "seed " + SEED);
        }
    }

    /** Compares an image with its own sums, one of them wrong, at a pace; a hole lies in it. */
    private long audit(long stepNanos, int wrong) {
        questions.clear();
        try (TestImage image = new TestImage(RegionTable.single("ram",
                PageGeometry.bytesOf(PAGES)));
                ChecksumTable ours = new ChecksumTable(PAGES);
                ChecksumTable theirs = new ChecksumTable(PAGES)) {
            image.dirty(new Random(SEED), 50);
            SlowMemory memory = new SlowMemory(image, SEED);
            MemoryReader reader = new MemoryReader(memory, theirs);
            while (!reader.isDone()) {
                reader.step(PAGES);
            }
            if (wrong >= 0) {
                theirs.set(wrong, theirs.get(wrong) + 1);
            }
            MemoryAudit audit = new MemoryAudit(memory, ours,
                    question -> questions.add((Message.PageChecksumsRequest) question));
            int answered = 0;
            while (!audit.isDone()) {
                now += stepNanos;
                audit.step(STEP, now);
                if (answered < questions.size()) {
                    audit.compare(answer(questions.get(answered++), theirs));
                }
            }
            assertEquals(PAGES, audit.compared());
            return audit.differing();
        }
    }

    private static Message.PageChecksums answer(Message.PageChecksumsRequest question,
            ChecksumTable theirs) {
        int[] sums = new int[question.count()];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = theirs.get(question.firstPage() + i);
        }
        return new Message.PageChecksums(question.firstPage(), sums);
    }
}
