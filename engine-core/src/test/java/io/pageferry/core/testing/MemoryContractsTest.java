package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.memory.PageSourceContract;
import io.pageferry.core.testing.memory.PageStoreContract;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** The tests' own memory, mapped and slow, as their contracts want it. */
class MemoryContractsTest {
    static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "low", 0, PageGeometry.bytesOf(64), PageGeometry.PAGE_SIZE),
            new Region(1, "high", 1L << 32, PageGeometry.bytesOf(9), PageGeometry.PAGE_SIZE)));

    /** Open to be broken. */
    abstract static class Source extends PageSourceContract {
        final TestMemory real = new TestMemory(REGIONS);
        private final PageSource memory = around(real);

        PageSource around(TestMemory own) {
            return own;
        }

        @Override
        protected PageSource memory() {
            return memory;
        }

        @Override
        protected void write(long page, byte[] bytes) {
            real.write(page, bytes);
        }

        @AfterEach
        void free() {
            real.close();
        }
    }

    /** Likewise. */
    abstract static class Store extends PageStoreContract {
        final TestImage real = new TestImage(REGIONS);
        private final PageStore memory = around(real);

        PageStore around(TestImage own) {
            return own;
        }

        @Override
        protected PageStore memory() {
            return memory;
        }

        @Override
        protected byte[] seenByGuest(long page) {
            return real.read(page);
        }

        @AfterEach
        void free() {
            real.close();
        }
    }

    @Nested
    class MappedSource extends Source {
    }

    @Nested
    class SlowSource extends Source {
        @Override
        PageSource around(TestMemory own) {
            return new SlowMemory(own, 1);
        }
    }

    @Nested
    class MappedStore extends Store {
    }

    @Nested
    class SlowStore extends Store {
        @Override
        PageStore around(TestImage own) {
            return new SlowMemory(own, 2);
        }
    }
}
