package io.pageferry.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.transport.wire.WireLimits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory for batches, made once per link: slot = frame header, batch header, directory, payload.
 * The payload has a fixed place, and what stands before it ends there, however long the directory
 * is. A page is encoded into its slot, and the slot goes to the socket as it is; at the target the
 * other way round.
 *
 * <p>Outside the heap and outside Netty's pools. Each slot has a reference count, so the memory
 * goes only when its owner closed this and no socket holds a slot any more.
 */
final class FrameSlots implements AutoCloseable {
    // On a cache line, behind room for the longest directory and both headers.
    static final int PAYLOAD = WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES
            + WireLimits.MAX_DIRECTORY_BYTES + 63 & -64;
    static final int SIZE = PAYLOAD + PageBatch.PAYLOAD_CAPACITY;

    // Slots begin on pages of their own: no two share one, whatever the kernel pins.
    private static final int STRIDE = (SIZE + 4095) & -4096;

    private final Arena arena = Arena.ofShared();
    private final AtomicInteger held;
    private final Slot[] slots;

    FrameSlots(int count) {
        this.held = new AtomicInteger(count);
        this.slots = new Slot[count];
        MemorySegment memory = arena.allocate((long) count * STRIDE, 4096);
        for (int i = 0; i < count; i++) {
            slots[i] = new Slot(memory.asSlice((long) i * STRIDE, SIZE), this);
        }
    }

    Slot slot(int index) {
        return slots[index];
    }

    /** Gives the slots up; no one may touch a batch of theirs afterwards. Once. */
    @Override
    public void close() {
        for (Slot slot : slots) {
            slot.bytes.release();
        }
    }

    private void freed() {
        if (held.decrementAndGet() == 0) {
            arena.close();
        }
    }

    /** One slot. Who holds it is the business of its lane. */
    static final class Slot implements Runnable {
        final PageBatch batch;
        final ByteBuffer view;
        final ByteBuf bytes;
        /** Where the frame begins; its body where its header ends. */
        int frameAt;
        /** At a source: the connection that carries it. */
        FrameConnection connection;
        /** At a source: when it was committed. */
        long sentNanos;
        /** At a target: applied, though perhaps not yet in its turn. */
        boolean done;

        private Slot(MemorySegment memory, FrameSlots home) {
            this.batch = new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));
            this.view = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            this.bytes = new SlotBytes(memory.asByteBuffer(), home);
        }

        int bodyAt() {
            return frameAt + WireLimits.FRAME_HEADER_BYTES;
        }

        /** Gives the bytes from one index to another to a socket that reads into them. */
        ByteBuf toFill(int from, int to) {
            ((SlotBytes) bytes).cutOff = SIZE - to;
            return bytes.setIndex(from, from).retain();
        }

        /** Sends it; the slot is its own task, so that no batch makes one. */
        @Override
        public void run() {
            connection.sendSlot(this);
        }
    }

    /** What Netty sees of a slot. */
    private static final class SlotBytes extends UnpooledDirectByteBuf {
        private final FrameSlots home;
        private int cutOff;

        SlotBytes(ByteBuffer memory, FrameSlots home) {
            super(UnpooledByteBufAllocator.DEFAULT, memory, SIZE);
            this.home = home;
        }

        /** What a socket may fill ends here, so that it never reads beyond a frame. */
        @Override
        public int capacity() {
            return SIZE - cutOff;
        }

        @Override
        protected void deallocate() {
            super.deallocate();
            home.freed();
        }
    }
}
