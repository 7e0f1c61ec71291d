package io.pageferry.transport.netty.io;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.transport.wire.WireLimits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Memory for batches, made once per channel: slot = frame header, batch header, directory,
 * payload. The payload has a fixed place, and what stands before it ends there, however long the
 * directory is. A page is encoded into its slot, and the slot goes to the socket as it is; at the
 * target the other way round.
 *
 * <p>Outside the heap and outside Netty's pools. Each slot has a reference count, so the memory
 * goes only when its owner closed this and no socket holds a slot any more.
 */
public final class FrameSlots implements AutoCloseable {
    /** Where the payload begins: on a cache line, with room for all that stands before it. */
    public static final int PAYLOAD = WireLimits.FRAME_HEADER_BYTES
            + WireLimits.BATCH_HEADER_BYTES + WireLimits.MAX_DIRECTORY_BYTES + 63 & -64;

    private static final int SIZE = PAYLOAD + PageBatch.PAYLOAD_CAPACITY;

    // Slots begin on pages of their own: no two share one, whatever the kernel pins.
    private static final int STRIDE = (SIZE + 4095) & -4096;

    private final Arena arena = Arena.ofShared();
    private final AtomicInteger held;
    private final List<Slot> slots;

    /**
     * Allocates the slots.
     *
     * @param count how many slots
     */
    public FrameSlots(int count) {
        this.held = new AtomicInteger(count);
        MemorySegment memory = arena.allocate((long) count * STRIDE, 4096);
        this.slots = IntStream.range(0, count)
                .mapToObj(i -> new Slot(memory.asSlice((long) i * STRIDE, SIZE), this)).toList();
    }

    /** {@return all of them} */
    public List<Slot> slots() {
        return slots;
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

    /** One slot. */
    public static final class Slot {
        private final PageBatch batch;
        private final ByteBuffer view;
        private final SlotBytes bytes;
        private int frameAt;

        private Slot(MemorySegment memory, FrameSlots home) {
            this.batch = new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));
            this.view = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            this.bytes = new SlotBytes(memory.asByteBuffer(), home);
        }

        /** {@return the batch whose payload lies here} */
        public PageBatch batch() {
            return batch;
        }

        /** {@return all bytes of the slot, little-endian; position and limit mean nothing} */
        public ByteBuffer view() {
            return view;
        }

        /** {@return whether no socket holds the slot} */
        public boolean isFree() {
            return bytes.refCnt() == 1;
        }

        /** {@return where the frame begins} */
        public int frameAt() {
            return frameAt;
        }

        /**
         * Sets where the frame begins: its directory ends where the payload begins.
         *
         * @param index in the slot
         */
        public void frameAt(int index) {
            frameAt = index;
        }

        /** {@return where the body begins, right behind the frame's header} */
        public int bodyAt() {
            return frameAt + WireLimits.FRAME_HEADER_BYTES;
        }

        ByteBuf bytes() {
            return bytes;
        }

        /** Gives the bytes from one index to another to a socket that reads into them. */
        ByteBuf toFill(int from, int to) {
            bytes.cutOff = SIZE - to;
            return bytes.setIndex(from, from).retain();
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
