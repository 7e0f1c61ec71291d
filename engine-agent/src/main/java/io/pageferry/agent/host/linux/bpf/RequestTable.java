package io.pageferry.agent.host.linux.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Requests of one disk that began and were not seen to end, with what they change: a BPF map of
 * type hash, from the address of a request to two sectors. Some 6 MiB of kernel memory. One thread,
 * beside the programs that fill it.
 */
final class RequestTable implements AutoCloseable {
    /** More than a disk of any kind has under way: 64 queues of 1023. */
    static final int MOST = 1 << 16;

    private static final int TYPE_HASH = 1;
    private static final int VALUE_BYTES = 2 * Long.BYTES;
    private static final int ENOENT = 2;

    private final int fd;

    /** Hears of a request: its first sector, and the one behind its last. */
    interface Ranges {
        void range(long from, long to);
    }

    /** Makes an empty one. */
    RequestTable() throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment attributes = call.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, TYPE_HASH);
            attributes.set(JAVA_INT, 4, Long.BYTES); // of a key
            attributes.set(JAVA_INT, 8, VALUE_BYTES);
            attributes.set(JAVA_INT, 12, MOST);
            this.fd = Bpf.check(Bpf.MAP_CREATE, attributes, "a map of " + MOST + " requests");
        }
    }

    /** {@return for the instructions that use it} */
    int fd() {
        return fd;
    }

    /**
     * Tells of every request that is in it. It stays there.
     *
     * @param ranges hears of them
     * @throws IOException when the kernel does not tell
     */
    void look(Ranges ranges) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment attributes = call.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            MemorySegment key = call.allocate(JAVA_LONG);
            MemorySegment value = call.allocate(VALUE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, fd);
            // One that comes while it is walked may have the walk begin anew.
            for (int i = 0; i < 2 * MOST; i++) {
                attributes.set(JAVA_LONG, 8, i == 0 ? 0 : key.address());
                attributes.set(JAVA_LONG, 16, key.address());
                if (!found(Bpf.MAP_GET_NEXT_KEY, attributes)) {
                    return;
                }
                attributes.set(JAVA_LONG, 8, key.address());
                attributes.set(JAVA_LONG, 16, value.address());
                if (found(Bpf.MAP_LOOKUP_ELEM, attributes)) {
                    ranges.range(value.get(JAVA_LONG, 0), value.get(JAVA_LONG, Long.BYTES));
                }
            }
            throw new IOException("the requests that began cannot be told: more begin meanwhile");
        }
    }

    private static boolean found(int command, MemorySegment attributes) throws IOException {
        int result = Bpf.call(command, attributes);
        if (result < 0 && result != -ENOENT) {
            throw Bpf.refused(new LinuxException("bpf", -result, "a look at requests"), "");
        }
        return result == 0;
    }

    @Override
    public void close() {
        Native.close(fd);
    }
}
