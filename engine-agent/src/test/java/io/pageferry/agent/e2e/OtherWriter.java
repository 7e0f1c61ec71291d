package io.pageferry.agent.e2e;

import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import java.io.IOException;
import java.io.RandomAccessFile;
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
    private final String map;
    /** The test does not map it: it would be a second writer. */
    private final FileChannel file;
    private final Stranger program;

    /** In a memfd. */
    OtherWriter() throws IOException {
        this(SharedMemory.create(NAME, SIZE), "/memfd:" + NAME);
    }

    /** In a file on tmpfs, which is made. */
    static OtherWriter ofFile(Path named) throws IOException {
        try (RandomAccessFile made = new RandomAccessFile(named.toFile(), "rw")) {
            made.setLength(SIZE);
        }
        return new OtherWriter(SharedMemory.openReadWrite(named), named.toString());
    }

    private OtherWriter(SharedMemory memory, String map) throws IOException {
        shared = memory;
        this.map = map;
        file = FileChannel.open(shared.procPath(), StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        program = Stranger.startProgram("write", shared.procPath().toString(),
                Long.toString(SEED));
        run();
    }

    String uri() {
        return "process:" + program.pid() + "?map=" + map;
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

    /** Takes its last 100 pages away and has it read them all: they are zero, and not holes. */
    void loseAndRead() throws IOException {
        long bytes = 100L * StrangerProgram.PAGE;
        shared.punchHole(SIZE - bytes, bytes);
        does(StrangerProgram.READ);
    }

    /** Says what it is to do, and waits until it has done it. */
    void does(long command) throws IOException {
        say(command);
        Poll.until(() -> state() == command, () -> "it does not obey");
    }

    /** Writes its last page by a descriptor. */
    void writePast() throws IOException {
        file.write(number().putLong(0, 4711), SIZE - StrangerProgram.PAGE);
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
