package io.pageferry.agent.guest.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.SourceOptions;
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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tracked process forks while its move is over and its target only has yet to hear of it. */
class ForkWhileEndingTest {
    private static final long SIZE = 1 << 20;

    @TempDir
    Path folder;

    private final MemoryLinks links = MemoryLinks.orderly();
    private SourceSession agent;
    private boolean resumedExternally;

    @Test
    void itWaitsForNoLink() throws IOException {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
        try (SharedMemory shared = SharedMemory.create("ending", SIZE);
                FileChannel file = FileChannel.open(shared.procPath(), StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
                Stranger program = Stranger.startProgram("write",
                        shared.procPath().toString(), "1")) {
            obey(file, StrangerProgram.PAUSE);
            agent = new SourceSession(new MigrateSettings(GuestFactory.source(
                    GuestUri.parse("process:" + program.pid() + "?map=/memfd:ending")),
                    new SilentRoad(file), TrackerChoice.USERFAULTFD, SourceOptions.defaults(),
                    After.KEEP,
                    false, folder, 0, ""), new Cancelling(file));
            Outcome end = agent.run().outcome();
            assertEquals(Result.CANCELLED, end.result(), end::reason);
            assertTrue(resumedExternally, "the fork waited while the cancel was said in vain");
        } finally {
            links.close();
        }
    }

    private static void obey(FileChannel file, long command) {
        say(file, command);
        Stranger.await("command " + command + " to be obeyed", () -> obeyed(file) == command);
    }

    /** By the file: who maps the memory for writing would be a second writer. */
    private static void say(FileChannel file, long command) {
        try {
            file.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder())
                    .putLong(0, command), StrangerProgram.COMMAND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long obeyed(FileChannel file) {
        try {
            ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
            file.read(number, StrangerProgram.STATE);
            return number.getLong(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Cancels as soon as the process is tracked, which then forks; nothing arrives any more. */
    private final class Cancelling implements MigrationListener {
        private final FileChannel file;

        Cancelling(FileChannel file) {
            this.file = file;
        }

        @Override
        public void on(MigrationEvent event) {
            if (!(event instanceof StateEntered(String state, long _))) {
                return;
            }
            if (state.equals("precopy")) {
                links.silence();
                agent.cancel();
                say(file, StrangerProgram.FORK);
            } else if (state.equals("ended")) {
                // From here on nobody asks, so it went on before or never does.
                try {
                    Stranger.await("the fork", () -> obeyed(file) == StrangerProgram.FORK);
                    resumedExternally = true;
                } catch (AssertionError e) {
                    resumedExternally = false;
                }
            }
        }
    }

    /** To a target that says yes and nothing else; to close it takes as long as a fork does. */
    private final class SilentRoad implements Connector {
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
                public Optional<SourceLink> beginOpen() {
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
