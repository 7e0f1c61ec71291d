package io.pageferry.agent.host.linux.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Words of 64 bits that a program of the kernel and this process share: a BPF map of type array,
 * mapped. All are 0 at first. Any thread, until {@link #close}.
 */
final class BpfArray implements AutoCloseable {
    private static final VarHandle WORD = JAVA_LONG.varHandle();
    private static final int TYPE_ARRAY = 2;
    private static final int MMAPABLE = 1 << 10;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final long PAGE = 4096;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new long[1 << 13]);
    /** Words that are looked at together where one is not 0. */
    private static final int CHUNK = 128;

    private final Arena arena = Arena.ofShared();
    private final int fd;
    private final int length;
    private final MemorySegment words;

    /** Makes one of so many words. */
    BpfArray(int length) throws IOException {
        this.length = length;
        this.fd = create(length);
        MemorySegment mapped = null;
        try {
            mapped = map();
        } finally {
            if (mapped == null) {
                Native.close(fd);
                arena.close();
            }
        }
        this.words = mapped;
    }

    private static int create(int length) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment attributes = call.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, TYPE_ARRAY);
            attributes.set(JAVA_INT, 4, Integer.BYTES); // of a key
            attributes.set(JAVA_INT, 8, Long.BYTES); // of a value
            attributes.set(JAVA_INT, 12, length);
            attributes.set(JAVA_INT, 16, MMAPABLE);
            return Bpf.check(Bpf.MAP_CREATE, attributes, "a map of " + length + " words");
        }
    }

    // Only here an address becomes memory: length is what was mapped, the arena unmaps it.
    @SuppressWarnings("restricted")
    private MemorySegment map() throws IOException {
        long bytes = ((long) length * Long.BYTES + PAGE - 1) / PAGE * PAGE;
        long address = Native.check(Native.call(Call.MMAP, 0, bytes, PROT_READ_WRITE, MAP_SHARED,
                fd, 0), "mmap", "a map of " + length + " words");
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena,
                dead -> Native.call(Call.MUNMAP, address, bytes));
    }

    /** {@return for the instructions that use it} */
    int fd() {
        return fd;
    }


    /** Takes what was in a word. */
    interface WordConsumer {
        void word(int index, long bits);
    }

    /**
     * Takes each word that is not 0 and leaves 0 there, in one step.
     *
     * @param end      behind the last of them
     * @param consumer hears of them, in ascending order
     */
    void take(int end, WordConsumer consumer) {
        walk(end, (index, seen) -> consumer.word(index,
                (long) WORD.getAndSet(words, (long) index * Long.BYTES, 0L)));
    }

    /** {@return a word as it is} */
    long get(int index) {
        return (long) WORD.getVolatile(words, (long) index * Long.BYTES);
    }

    private void walk(int end, WordConsumer consumer) {
        long bytes = (long) end * Long.BYTES;
        long[] chunk = new long[CHUNK];
        // Compared by the machine's widest instructions, also where code is not optimised.
        for (long at = nextSet(0, bytes); at < bytes; at = nextSet(at, bytes)) {
            int count = (int) Math.min(CHUNK, (bytes - at) / Long.BYTES);
            MemorySegment.copy(words, JAVA_LONG, at, chunk, 0, count);
            for (int i = 0; i < count; i++) {
                if (chunk[i] != 0) {
                    consumer.word((int) (at / Long.BYTES) + i, chunk[i]);
                }
            }
            at += (long) count * Long.BYTES;
        }
    }

    private long nextSet(long from, long bytes) {
        for (long at = from; at < bytes; at += ZEROS.byteSize()) {
            long end = Math.min(bytes, at + ZEROS.byteSize());
            long differs = MemorySegment.mismatch(words, at, end, ZEROS, 0, end - at);
            if (differs >= 0) {
                return (at + differs) / Long.BYTES * Long.BYTES;
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            Native.close(fd);
        }
    }
}
