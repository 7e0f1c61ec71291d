package io.pageferry.agent.host.linux.userfault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Another, unmodified JVM writes a memory file; every interval is compared byte by byte. */
class RemoteTrackingTest {
    private static final int PAGE = StrangerProgram.PAGE;
    private static final int PAGES = 2048;
    private static final int ROUNDS = 20;
    private static final int WRITES = 1000;

    private final Arena arena = Arena.ofShared();
    private final DirtyBitmap dirty = new DirtyBitmap(PAGES);
    private SharedMemory memory;
    private MemorySegment live;
    private MemorySegment copy;
    private Stranger writer;
    private UserfaultTracker tracker;

    @BeforeAll
    static void needed() {
        Requirements.foreignTracking();
    }

    @BeforeEach
    void start() throws IOException {
        memory = SharedMemory.create("test", (long) PAGES * PAGE);
        live = memory.map(0, memory.size(), arena);
        copy = arena.allocate(memory.size(), PAGE);
        writer = Stranger.startProgram("write", memory.procPath().toString(),
                Long.toString(Requirements.seed()));
        command(StrangerProgram.PAUSE);
        List<UserfaultTracker.Range> ranges = ProcessMaps.ofFile(writer.pid(),
                ProcessMaps.fileId(memory.procPath())).stream()
                .map(mapping -> new UserfaultTracker.Range(mapping.start(), mapping.length(),
                        mapping.offset() / PAGE)).toList();
        tracker = UserfaultTracker.ofProcess(writer.pid(),
                () -> RemoteUserfault.open(writer.pid()).release(), ranges);
    }

    @AfterEach
    void end() {
        if (tracker != null) {
            tracker.close();
        }
        if (writer != null) {
            writer.close();
        }
        dirty.close();
        arena.close();
        memory.close();
    }

    @Test
    void missesNothingAndLeavesNothing() throws IOException {
        assertFalse(smaps().contains(" uw "));
        tracker.start();
        assertTrue(smaps().contains(" uw "));
        memory.read(0, copy, 0, copy.byteSize());
        long changed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            writeForAWhile();
            tracker.harvest(dirty);
            changed += changedPages();
            assertEquals(0, unreportedPages(), "round " + round);
            takeOver();
        }
        assertTrue(changed > ROUNDS, "the writer has written");
        tracker.close();
        assertFalse(smaps().contains(" uw "));
        assertTrue(ProcessMaps.openFiles(writer.pid()).stream()
                .anyMatch(file -> file.memfd() && file.size() == memory.size()));
        writeForAWhile();
    }

    @Test
    void droppedReportIsCaught() throws IOException {
        tracker.start();
        memory.read(0, copy, 0, copy.byteSize());
        writeForAWhile();
        tracker.harvest(dirty);
        long page = dirty.nextMarked(1);
        assertTrue(page < PAGES, "the writer has written");
        dirty.clear(page);
        assertEquals(1, unreportedPages());
    }

    @Test
    void copyWhileItWritesEndsEqual() throws IOException {
        tracker.start();
        memory.read(0, copy, 0, copy.byteSize());
        command(StrangerProgram.RUN);
        for (int round = 0; round < ROUNDS; round++) {
            awaitWrites();
            tracker.harvest(dirty);
            takeOver();
        }
        command(StrangerProgram.PAUSE);
        tracker.harvest(dirty);
        takeOver();
        assertEquals(0, changedPages());
    }

    @Test
    void endedProcessMarksEverything() throws IOException {
        tracker.start();
        command(StrangerProgram.RUN);
        awaitWrites();
        writer.close();
        assertThrows(TrackerException.class, () -> tracker.harvest(dirty));
        assertEquals(PAGES, dirty.count());
    }

    @Test
    void seesTheSecondWriter() throws IOException {
        long self = ProcessHandle.current().pid();
        ProcessMaps.FileId file = ProcessMaps.fileId(memory.procPath());
        assertEquals(List.of(writer.pid()), ProcessMaps.otherWriters(file, List.of(self)));
        assertEquals(List.of(), ProcessMaps.otherWriters(file, List.of(self, writer.pid())));
    }

    private void writeForAWhile() {
        command(StrangerProgram.RUN);
        awaitWrites();
        command(StrangerProgram.PAUSE);
    }

    private void command(long command) {
        StrangerProgram.set(live, StrangerProgram.COMMAND, command);
        Stranger.await("obedience",
                () -> StrangerProgram.get(live, StrangerProgram.STATE) == command);
    }

    private void awaitWrites() {
        long begin = StrangerProgram.get(live, StrangerProgram.WRITES);
        Stranger.await("writes",
                () -> StrangerProgram.get(live, StrangerProgram.WRITES) > begin + WRITES);
    }

    private long changedPages() {
        return countChanged(false);
    }

    private long unreportedPages() {
        return countChanged(true);
    }

    /** The first page is the test's own and not counted. */
    private long countChanged(boolean onlyUnreported) {
        long count = 0;
        for (long page = 1; page < PAGES; page++) {
            boolean counts = !onlyUnreported || !dirty.isMarked(page);
            if (counts && live.asSlice(page * PAGE, PAGE)
                    .mismatch(copy.asSlice(page * PAGE, PAGE)) != -1) {
                count++;
            }
        }
        return count;
    }

    private void takeOver() {
        for (long page = dirty.nextMarked(0); page < PAGES; page = dirty.nextMarked(page + 1)) {
            dirty.clear(page);
            MemorySegment.copy(live, page * PAGE, copy, page * PAGE, PAGE);
        }
    }

    private String smaps() throws IOException {
        return Files.readString(Path.of("/proc/" + writer.pid() + "/smaps"),
                StandardCharsets.ISO_8859_1);
    }
}
