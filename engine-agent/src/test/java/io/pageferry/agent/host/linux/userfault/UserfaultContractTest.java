package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The kernel's tracking of this process, held to what every tracker must do. */
class UserfaultContractTest extends TrackerContract {
    private static final int PAGE = 4096;
    private static final int AT = 1040;

    @Override
    protected Tracked open() throws LinuxException {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
        return new Mapped();
    }

    /** A memfd of this process, all of it with storage. */
    private static final class Mapped implements Tracked {
        private final Arena arena = Arena.ofShared();
        private final SharedMemory file;
        private final MemorySegment memory;
        private final DirtyTracker tracker;

        Mapped() throws LinuxException {
            long size = (long) PAGES * PAGE;
            file = SharedMemory.create("contract", size);
            memory = file.map(0, size, arena);
            SharedMemory.populate(memory);
            tracker = UserfaultTracker.ofSelf(
                    List.of(new UserfaultTracker.Range(memory.address(), size, 0)));
        }

        @Override
        public DirtyTracker tracker() {
            return tracker;
        }

        @Override
        public void write(long page, int number) {
            memory.set(JAVA_INT, page * PAGE + AT, number);
        }

        @Override
        public int send(long page) {
            return memory.get(JAVA_INT, page * PAGE + AT);
        }

        @Override
        public void close() {
            tracker.close();
            arena.close();
            file.close();
        }
    }
}
