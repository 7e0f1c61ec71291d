package io.pageferry.core.testing;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;

/** Guests that break one rule each, as an embedder's tests would hold them to the contract. */
final class BrokenGuests {
    private static final long SEED = 71;

    private BrokenGuests() {
    }

    /** What they have in common: they are found out sooner than others are cleared. */
    abstract static class Broken extends GuestContractTest {
        @Override
        protected abstract Guest open();

        @Override
        protected Duration effort() {
            return Duration.ofMillis(200);
        }
    }

    static final class ClearsWhatWasReadLater extends Broken {
        @Override
        protected Guest open() {
            BrokenTracker tracker = new BrokenTracker(LiveGuest.PAGES, true);
            return new LiveGuest(SEED, new LiveGuest.Gate(), tracker, tracker::mark);
        }
    }

    static final class ClearsAllAfterReadingAll extends Broken {
        @Override
        protected Guest open() {
            BrokenTracker tracker = new BrokenTracker(LiveGuest.PAGES, false);
            return new LiveGuest(SEED, new LiveGuest.Gate(), tracker, tracker::mark);
        }
    }

    static final class PauseReturnsEarly extends Broken {
        @Override
        protected Guest open() {
            return new HastyGuest(SEED);
        }
    }

    static final class StateDiffersEachTime extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                private int saves;

                @Override
                public synchronized void saveState(OutputStream out) throws IOException {
                    super.saveState(out);
                    out.write(saves++);
                }
            };
        }
    }

    static final class StaysPausedOnceSaved extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                private boolean saved;

                @Override
                public synchronized void saveState(OutputStream out) throws IOException {
                    super.saveState(out);
                    saved = true;
                }

                @Override
                public synchronized void resume() {
                    if (!saved) {
                        super.resume();
                    }
                }
            };
        }
    }

    static final class DiesWhereItCannotSave extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                private boolean dead;

                @Override
                public synchronized void saveState(OutputStream out) throws IOException {
                    dead = true;
                    super.saveState(out);
                    dead = false;
                }

                @Override
                public synchronized void resume() {
                    if (!dead) {
                        super.resume();
                    }
                }
            };
        }
    }

    static final class SavingWritesUnseen extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                @Override
                public synchronized void saveState(OutputStream out) throws IOException {
                    super.saveState(out);
                    write(0, -1);
                }
            };
        }
    }

    static final class CountsItsResumes extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                private int resumes = 1;

                @Override
                public synchronized void pause() {
                    if (--resumes == 0) {
                        super.pause();
                    }
                }

                @Override
                public synchronized void resume() {
                    resumes++;
                    super.resume();
                }
            };
        }
    }

    static final class SaysThatItWentOn extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                @Override
                public boolean resumedExternally() {
                    return isRunning();
                }
            };
        }
    }

    static final class ForgetsItsLastPage extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                @Override
                public GuestMemory memory() {
                    return new Shortened(super.memory());
                }
            };
        }
    }

    /** Tells its last page with data to be a hole. */
    private record Shortened(GuestMemory whole) implements GuestMemory {
        private static final int DATA = LiveGuest.DATA - 1;

        @Override
        public RegionTable regions() {
            return whole.regions();
        }

        @Override
        public MemorySegment window(int region) {
            return whole.window(region);
        }

        @Override
        public long nextData(long page) {
            return page < DATA ? page : LiveGuest.PAGES;
        }

        @Override
        public long nextHole(long page) {
            return Math.max(page, DATA);
        }
    }

    static final class DescribesOtherMemory extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                @Override
                public GuestDescription describe() {
                    return new GuestDescription("live", "guest",
                            RegionTable.single("ram", memory().regions().totalBytes()), 0,
                            Map.of());
                }
            };
        }
    }

    static final class ThrottleHoldsNobody extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED, new LiveGuest.Gate() {
                @Override
                void hold() {
                    Thread.onSpinWait();
                }
            });
        }
    }

    static final class ThrottleStays extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED, new LiveGuest.Gate() {
                @Override
                public void close() {
                    // And so every write goes on taking its millisecond.
                }
            });
        }
    }

    static final class WritesAfterItsEnd extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                @Override
                public void end() {
                    resume();
                }
            };
        }
    }

    static final class ClosesOnce extends Broken {
        @Override
        protected Guest open() {
            return new LiveGuest(SEED) {
                private boolean closed;

                @Override
                public void close() {
                    if (closed) {
                        throw new IllegalStateException("it is closed");
                    }
                    closed = true;
                    super.close();
                }
            };
        }
    }
}
