package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One virtual machine on its way through a row of processes, each of them an embedder's program
 * that receives it, runs it and moves it on. The guest counts the pages that it writes; no count
 * may be missing and no page be wrong, from the first process to the last.
 */
@Sampled
@Tag("full")
class KvmChainTest {
    private static final int HOPS = Draw.FULL ? 20 : 4;

    @TempDir
    private Path folder;

    @Test
    void theCountIsUnbrokenThroughAllProcesses() throws IOException {
        KvmMoveTest.needKvm();
        Random random = Draw.random();
        long set = (1 + random.nextInt(16)) * (1L << 20);
        VmmProcess here = VmmProcess.start(folder, Long.toString(set));
        long[] downtimes = new long[HOPS];
        long count = 0;
        for (int hop = 0; hop < HOPS; hop++) {
            try (VmmProcess from = here) {
                here = VmmProcess.start(folder);
                assertEquals(count + " lost 0", from.await("arrived "));
                if (random.nextInt(4) == 0) {
                    from.order("check");
                    assertEquals("0", from.await("wrong "));
                }
                from.order(here.await("listening "));
                String result = from.await("result ");
                assertTrue(result.startsWith("COMPLETED "), from::toString);
                downtimes[hop] = Long.parseLong(result.substring(result.lastIndexOf(' ') + 1));
                long left = Long.parseLong(from.await("left "));
                assertTrue(left > count, from::toString);
                count = left;
                assertEquals(0, from.exit(), from::toString);
            } catch (IOException | AssertionError e) {
                here.close();
                throw e;
            }
        }
        try (VmmProcess last = here) {
            assertEquals(count + " lost 0", last.await("arrived "));
            last.order("check");
            assertEquals("0", last.await("wrong "));
        }
        System.out.println(HOPS + " moves of " + (set >> 20) + " MiB, " + count
                + " pages counted, downtimes " + java.util.Arrays.toString(downtimes) + " ms");
    }

    @Test
    void whereNobodyReceivesItRunsOnAndMovesAtTheNextAttempt() throws IOException {
        KvmMoveTest.needKvm();
        try (VmmProcess from = VmmProcess.start(folder, Long.toString(1 << 20));
                VmmProcess to = VmmProcess.start(folder)) {
            from.order(Integer.toString(1));
            assertTrue(from.await("result ").startsWith("REFUSED "), from::toString);
            long stays = Long.parseLong(from.await("stays "));
            from.order(to.await("listening "));
            assertTrue(from.await("result ").startsWith("COMPLETED "), from::toString);
            long left = Long.parseLong(from.await("left "));
            assertTrue(left > stays, from::toString);
            assertEquals(left + " lost 0", to.await("arrived "));
            to.order("check");
            assertEquals("0", to.await("wrong "));
        }
    }
}
