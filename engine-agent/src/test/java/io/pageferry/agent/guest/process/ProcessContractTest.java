package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/**
 * A process with either tracker, held to a guest's contract. All tests of a class share one
 * program.
 */
@TestInstance(Lifecycle.PER_CLASS)
abstract class ProcessContractTest extends GuestContractTest {
    private static final long SIZE = 2 << 20;
    private static final String NAME = "pageferry-contract";

    private SharedMemory memory;
    private FileChannel file;
    private Stranger writer;

    private final TrackerChoice tracker;
    private ProcessGuest guest;

    ProcessContractTest(TrackerChoice tracker) {
        this.tracker = tracker;
    }

    @BeforeAll
    void start() throws IOException {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
        memory = SharedMemory.create(NAME, SIZE);
        file = FileChannel.open(memory.procPath(), StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        writer = Stranger.startProgram("write", memory.procPath().toString(), "1");
        file.write(number(StrangerProgram.RUN), StrangerProgram.COMMAND);
        Stranger.await("the program to write", () -> state() == StrangerProgram.RUN);
    }

    private static ByteBuffer number(long value) {
        return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(0, value);
    }

    private long state() {
        try {
            ByteBuffer number = number(0);
            file.read(number, StrangerProgram.STATE);
            return number.getLong(0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterAll
    void stop() throws IOException {
        if (writer != null) {
            writer.close();
            file.close();
            memory.close();
            writer = null;
        }
    }

    @Override
    protected Guest open() throws IOException {
        guest = (ProcessGuest) new ProcessKind().openSource(
                GuestUri.parse("process:" + writer.pid() + "?map=/memfd:" + NAME),
                new GuestSetup(tracker, false, pid -> RemoteUserfault.open(pid).release(),
                        After.KEEP));
        return guest;
    }

    /** What was frozen for good is let go for the next test. */
    @AfterEach
    void letGo() throws IOException {
        if (guest != null) {
            ProcessGuestHandle handle = new ProcessGuestHandle(guest.recoveryAddress());
            handle.resume();
            handle.leave();
        }
    }

    @Override
    protected Duration effort() {
        return Duration.ofMillis(500);
    }
}
