package io.pageferry.agent.e2e;

import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A program that writes pages of memory that it shares with the test; a child of nobody here. */
final class OtherWriter implements AutoCloseable {
    static final long SIZE = 4 << 20;
    private static final String NAME = "pageferry-foreign";
    private static final long SEED = 20_261_128;

    private final SharedMemory shared;
    /** The test does not map it: it would be a second writer. */
    private final FileChannel file;
    private final Stranger program;

    OtherWriter() throws IOException {
        shared = SharedMemory.create(NAME, SIZE);
        file = FileChannel.open(shared.procPath(), StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        program = Stranger.startProgram("write", shared.procPath().toString(),
                Long.toString(SEED));
        run();
    }

    String uri() {
        return "process:" + program.pid() + "?map=/memfd:" + NAME;
    }

    long pid() {
        return program.pid();
    }

    /** Where it can be read whatever becomes of the program. */
    Path memory() {
        return shared.procPath();
    }

    /** Has it write, and waits until it does. */
    void run() throws IOException {
        say(StrangerProgram.RUN);
        goesOn();
    }

    /** Says what it is to do, whether or not it can do it now. */
    void say(long command) throws IOException {
        file.write(number().putLong(0, command), StrangerProgram.COMMAND);
    }

    long state() throws IOException {
        return get(StrangerProgram.STATE);
    }

    private long get(long at) throws IOException {
        ByteBuffer number = number();
        file.read(number, at);
        return number.getLong(0);
    }

    private static ByteBuffer number() {
        return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    }

    /** Waits until it writes more than it has. */
    void goesOn() throws IOException {
        long before = writes();
        Poll.until(() -> writes() > before, () -> "it does not write any more");
    }

    long writes() throws IOException {
        return get(StrangerProgram.WRITES);
    }

    /** Ends it from outside. */
    void kill() {
        program.close();
    }

    @Override
    public void close() throws IOException {
        List<Path> groups = Frozen.groups(pid());
        try {
            program.close();
        } finally {
            Frozen.cleanUp(groups);
            file.close();
            shared.close();
        }
    }
}
