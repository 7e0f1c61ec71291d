package io.pageferry.agent.host.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pageferry.agent.e2e.LoopDevice;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What stands on a disk that is being filled, at each moment; it held something else before. */
@Timeout(120)
class DiskStoreTest {
    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final int MIB = 1 << 20;
    private static final int TAIL = 1234;
    private static final int BYTES = 6 * MIB + TAIL;
    private static final int PAGES = BYTES / PAGE + 1;
    private static final int LARGER = 7 * MIB;

    @TempDir
    private Path folder;
    private Path file;
    private byte[] before;
    private DirectDisk disk;
    private DiskStore store;
    private final Arena arena = Arena.ofConfined();

    @BeforeEach
    void open() throws IOException {
        file = LoopDevice.file(folder.resolve("disk"), LARGER, LARGER);
        before = Files.readAllBytes(file);
        disk = DiskOpening.target(file);
        disk.use(BYTES);
        store = new DiskStore(DiskSet.of(List.of(disk)));
    }

    @AfterEach
    void close() {
        store.close();
        disk.close();
        arena.close();
    }

    /** A disk that is slower than the link holds the source up, and nothing grows. */
    @Test
    void thereIsRoomAgainWhenItWasWritten() throws Exception {
        try (DiskPool pool = new DiskPool()) {
            DiskSet set = DiskSet.of(List.of(disk));
            DiskWrites writes = new DiskWrites(set, pool, arena);
            MemorySegment batch = noise(1024, random(3));
            int batches = 0;
            while (writes.hasRoom()) {
                writes.put(0, 1024, batch, 0);
                batches++;
            }
            assertEquals(3, batches, "16 MiB, but for one that may come and a run");
            writes.release();
            while (!writes.hasRoom() || !writes.isIdle()) {
                Thread.onSpinWait();
            }
        }
    }

    private MemorySegment noise(int pages, Random random) {
        byte[] bytes = new byte[pages * PAGE];
        random.nextBytes(bytes);
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private static Random random(long seed) {
        return new Random(seed);
    }

    private void flush() {
        while (!store.flush()) {
            Thread.onSpinWait();
        }
    }

    private byte[] read(long page) {
        MemorySegment into = arena.allocate(PAGE);
        while (store.read(page, 1, into, 0) == PagedMemory.NOT_YET) {
            Thread.onSpinWait();
        }
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    private byte[] head() throws IOException {
        return Arrays.copyOf(Files.readAllBytes(file), MIB);
    }

    private void awaitBlank() throws IOException, InterruptedException {
        while (!Arrays.equals(new byte[MIB], head())) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    @Test
    void nothingBootsFromItBeforeAllIsThere() throws Exception {
        MemorySegment one = noise(1, random(1));
        store.put(0, 1, one, 0);
        store.put(300, 1, one, 0);
        assertArrayEquals(one.toArray(ValueLayout.JAVA_BYTE), read(300));
        awaitBlank();
        assertArrayEquals(one.toArray(ValueLayout.JAVA_BYTE), read(0));
        assertArrayEquals(new byte[MIB], head());
        flush();
        assertArrayEquals(one.toArray(ValueLayout.JAVA_BYTE), Arrays.copyOf(head(), PAGE));
    }

    /** A machine boots by what is in the first page: it is written when all else is there. */
    @Test
    void theFirstPageOfAllComesLast() throws Exception {
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        Disk seen = (Disk) Proxy.newProxyInstance(Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("write")) {
                        written.add((Long) arguments[0]);
                        assertEquals((long) arguments[0] == 0 ? PAGE : MIB - PAGE,
                                (long) arguments[3]);
                    }
                    return method.invoke(disk, arguments);
                });
        try (DiskStore watched = new DiskStore(DiskSet.of(List.of(seen)))) {
            watched.put(0, 1, noise(1, random(1)), 0);
            while (!watched.flush()) {
                Thread.onSpinWait();
            }
        }
        assertEquals(List.of((long) PAGE, 0L), written);
    }

    /** The link was lost when it was about to be granted, and the source sends more. */
    @Test
    void whatComesBehindAFlushMakesItAHalfDiskAgain() throws Exception {
        store.put(0, 1, noise(1, random(1)), 0);
        flush();
        assertFalse(Arrays.equals(new byte[MIB], head()));
        MemorySegment later = noise(1, random(2));
        store.put(400, 1, later, 0);
        awaitBlank();
        flush();
        assertFalse(Arrays.equals(new byte[MIB], head()));
        assertArrayEquals(later.toArray(ValueLayout.JAVA_BYTE), read(400));
    }

    @Test
    void whatIsGivenUpCannotBoot() throws Exception {
        store.put(0, 1, noise(1, random(1)), 0);
        flush();
        store.abandon();
        assertArrayEquals(new byte[MIB], head());
    }

    /** As an engine does: a batch only where there is room, reading back what it likes. */
    @Test
    void itIsWhatWasPutLastWhateverTheOrder() throws Exception {
        long seed = 20_261_130;
        Random random = random(seed);
        byte[] model = Arrays.copyOf(before, PAGES * PAGE);
        Arrays.fill(model, 0, MIB, (byte) 0);
        Arrays.fill(model, BYTES, model.length, (byte) 0);
        for (int i = 0; i < 600; i++) {
            int page = random.nextInt(PAGES);
            int count = 1 + random.nextInt(Math.min(300, PAGES - page));
            while (!store.hasRoom()) {
                Thread.onSpinWait();
            }
            if (random.nextInt(4) == 0) {
                store.clear(page, count);
                Arrays.fill(model, page * PAGE, (page + count) * PAGE, (byte) 0);
            } else {
                byte[] bytes = new byte[count * PAGE];
                random.nextBytes(bytes);
                try (Arena own = Arena.ofConfined()) {
                    store.put(page, count, own.allocateFrom(ValueLayout.JAVA_BYTE, bytes), 0);
                }
                System.arraycopy(bytes, 0, model, page * PAGE, bytes.length);
                Arrays.fill(model, BYTES, model.length, (byte) 0);
            }
            if (random.nextInt(16) == 0) {
                int seen = random.nextInt(PAGES);
                assertArrayEquals(Arrays.copyOfRange(model, seen * PAGE, (seen + 1) * PAGE),
                        read(seen), "page " + seen + " after " + i);
            }
        }
        flush();
        byte[] now = Files.readAllBytes(file);
        assertEquals(-1, Arrays.mismatch(Arrays.copyOf(model, BYTES), Arrays.copyOf(now, BYTES)));
        assertArrayEquals(Arrays.copyOfRange(before, BYTES, LARGER),
                Arrays.copyOfRange(now, BYTES, LARGER), "what is behind");
    }
}
