package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Memories that break one rule each, as an implementer's tests would hold them to the contract. */
final class BrokenMemory {
    private BrokenMemory() {
    }

    /** What is right but for one method. */
    private static class Wrapped implements PageSource, PageStore {
        final PagedMemory real;

        Wrapped(PagedMemory real) {
            this.real = real;
        }

        @Override
        public RegionTable regions() {
            return real.regions();
        }

        @Override
        public int read(long page, int count, MemorySegment into, long at) {
            return real.read(page, count, into, at);
        }

        @Override
        public void forgetReads() {
            real.forgetReads();
        }

        @Override
        public long nextData(long page) {
            return real.nextData(page);
        }

        @Override
        public long nextHole(long page) {
            return real.nextHole(page);
        }

        @Override
        public void put(long page, int count, MemorySegment from, long at) {
            ((PageStore) real).put(page, count, from, at);
        }

        @Override
        public void clear(long page, long count) {
            ((PageStore) real).clear(page, count);
        }
    }

    /** Keeps what it read, and gives it for as long as nobody says forget. */
    static final class ReadsOnce extends MemoryContractsTest.Source {
        @Override
        PageSource around(TestMemory own) {
            return new Wrapped(own) {
                private final Map<Long, MemorySegment> kept = new HashMap<>();

                @Override
                public int read(long page, int count, MemorySegment into, long at) {
                    into.asSlice(at).copyFrom(kept.computeIfAbsent(page, any -> {
                        MemorySegment copy = Arena.ofAuto().allocate(PageGeometry.PAGE_SIZE);
                        real.read(page, 1, copy, 0);
                        return copy;
                    }));
                    return 1;
                }

                @Override
                public void forgetReads() {
                    kept.clear();
                }
            };
        }
    }

    /** Gives an answer that it has under way, whatever was forgotten. */
    static final class ForgetsNothing extends MemoryContractsTest.Source {
        @Override
        PageSource around(TestMemory own) {
            return new Wrapped(new SlowMemory(own, 3)) {
                @Override
                public void forgetReads() {
                    // What was asked for stays.
                }
            };
        }
    }

    static final class NeverComes extends MemoryContractsTest.Source {
        @Override
        protected Duration patience() {
            return Duration.ofMillis(100);
        }

        @Override
        PageSource around(TestMemory own) {
            return new Wrapped(own) {
                @Override
                public int read(long page, int count, MemorySegment into, long at) {
                    return page == own.regions().pageCount() - 1 ? NOT_YET
                            : super.read(page, count, into, at);
                }
            };
        }
    }

    static final class WritesBesideTheRun extends MemoryContractsTest.Source {
        @Override
        PageSource around(TestMemory own) {
            return new Wrapped(own) {
                @Override
                public int read(long page, int count, MemorySegment into, long at) {
                    int got = super.read(page, count, into, at);
                    into.asSlice(at + PageGeometry.bytesOf(got), 1024).fill((byte) 0);
                    return got;
                }
            };
        }
    }

    static final class TakesTheLastPageForAHole extends MemoryContractsTest.Source {
        @Override
        PageSource around(TestMemory own) {
            return new Wrapped(own) {
                @Override
                public long nextData(long page) {
                    long found = super.nextData(page);
                    return found == regions().pageCount() - 1 ? found + 1 : found;
                }
            };
        }
    }

    /** Proves what it was given and not what is there. */
    static final class ReadsBackItsOwnCopy extends MemoryContractsTest.Store {
        @Override
        PageStore around(TestImage own) {
            return new Wrapped(own) {
                private final TestImage copy = new TestImage(own.regions());
                private boolean lost;

                @Override
                public void put(long page, int count, MemorySegment from, long at) {
                    copy.put(page, count, from, at);
                    lost = !lost;
                    if (lost) {
                        super.put(page, count, from, at);
                    }
                }

                @Override
                public int read(long page, int count, MemorySegment into, long at) {
                    return copy.read(page, count, into, at);
                }
            };
        }
    }

    static final class PutsOnlyTheFirstOfARun extends MemoryContractsTest.Store {
        @Override
        PageStore around(TestImage own) {
            return new Wrapped(own) {
                @Override
                public void put(long page, int count, MemorySegment from, long at) {
                    super.put(page, 1, from, at);
                }
            };
        }
    }

    static final class ClearsOneMore extends MemoryContractsTest.Store {
        @Override
        PageStore around(TestImage own) {
            return new Wrapped(own) {
                @Override
                public void clear(long page, long count) {
                    super.clear(page, count + 1);
                }
            };
        }
    }

    static final class IsNeverFlushed extends MemoryContractsTest.Store {
        @Override
        protected Duration patience() {
            return Duration.ofMillis(100);
        }

        @Override
        PageStore around(TestImage own) {
            return new Wrapped(own) {
                @Override
                public boolean flush() {
                    return false;
                }
            };
        }
    }
}
