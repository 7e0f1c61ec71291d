package io.pageferry.agent.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pageferry.agent.AgentResult;
import io.pageferry.agent.MigrateSettings;
import io.pageferry.agent.Opening;
import io.pageferry.agent.SourceAgent;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.linux.KernelProbe;
import io.pageferry.agent.linux.SharedMemory;
import io.pageferry.agent.linux.Stranger;
import io.pageferry.agent.linux.StrangerProgram;
import io.pageferry.agent.road.Road;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.source.SourceOptions;
import io.pageferry.core.testing.MemoryLinks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tracked process forks while its move is over and its target only has yet to hear of it. */
@Timeout(60)
class ForkWhileEndingTest {
    private static final long SIZE = 1 << 20;

    @TempDir
    Path folder;

    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final MemoryLinks links = MemoryLinks.orderly();
    private SourceAgent agent;
    private volatile boolean over;

    @Test
    void itWaitsForNoLink() throws IOException, InterruptedException {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
        try (SharedMemory shared = SharedMemory.create("ending", SIZE);
                FileChannel file = FileChannel.open(shared.procPath(), StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
                Stranger program = Stranger.startProgram("write",
                        shared.procPath().toString(), "1")) {
            obey(file, StrangerProgram.PAUSE);
            agent = new SourceAgent(new MigrateSettings(Opening.source(
                    GuestUri.parse("process:" + program.pid() + "?map=/memfd:ending")),
                    new SilentRoad(file), "userfaultfd", SourceOptions.defaults(), "keep",
                    false, folder, 0), new Cancelling());
            CompletableFuture<AgentResult> end = CompletableFuture.supplyAsync(agent::run)
                    .whenComplete((result, broken) -> cancelled.countDown());
            cancelled.await();
            obey(file, StrangerProgram.FORK);
            assertFalse(over, "the fork waited until the cancel had been said in vain");
            assertEquals(Result.CANCELLED, end.join().outcome().result(),
                    () -> end.join().outcome().reason());
        } finally {
            links.close();
        }
    }

    /** By the file: who maps the memory for writing would be a second writer. */
    private static void obey(FileChannel file, long command) {
        try {
            file.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder())
                    .putLong(0, command), StrangerProgram.COMMAND);
        } catch (IOException lost) {
            throw new UncheckedIOException(lost);
        }
        Stranger.await("command " + command + " to be obeyed", () -> state(file) == command);
    }

    private static long state(FileChannel file) {
        try {
            ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
            file.read(number, StrangerProgram.STATE);
            return number.getLong(0);
        } catch (IOException lost) {
            throw new UncheckedIOException(lost);
        }
    }

    /** Cancels as soon as the process is tracked; from then on nothing arrives. */
    private final class Cancelling implements MigrationListener {
        @Override
        public void state(String state, long epoch) {
            if (state.equals("precopy")) {
                links.silence();
                agent.cancel();
                cancelled.countDown();
            }
            over |= state.equals("ended");
        }
    }

    /** To a target that says yes and nothing else; to close it takes as long as a fork does. */
    private final class SilentRoad implements Road {
        private final FileChannel file;

        SilentRoad(FileChannel file) {
            this.file = file;
        }

        @Override
        public String peer() {
            return "nobody";
        }

        @Override
        public String transport() {
            return "memory";
        }

        @Override
        public Access open() {
            return new Access() {
                @Override
                public SourceLink connect() {
                    Message.Welcome yes = new Message.Welcome(new UUID(1, 1), 1, 0, 1, 4);
                    links.target().acceptChannels(yes);
                    links.target().send(yes);
                    return links.source();
                }

                @Override
                public Optional<Link> tryOpen() {
                    return Optional.empty();
                }

                @Override
                public void close() {
                    obey(file, StrangerProgram.PAUSE);
                    obey(file, StrangerProgram.FORK);
                }
            };
        }
    }
}
