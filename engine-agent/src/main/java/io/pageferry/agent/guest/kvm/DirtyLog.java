package io.pageferry.agent.guest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.kvm.KvmVm;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The pages that the vCPUs wrote, as KVM's log of one slot of memory has them. What the monitor
 * itself writes into a guest's memory KVM does not see: a monitor with devices that do so joins
 * this with a {@link io.pageferry.core.dirty.MarkingTracker}. One thread at a time.
 */
final class DirtyLog implements DirtyTracker {
    static final String NAME = "dirty-log";

    private final KvmVm vm;
    private final MemorySlot slot;
    private Arena arena;
    private MemorySegment bitmap;

    /** Makes it, unarmed, for a machine that is closed after it. It may be armed again. */
    DirtyLog(KvmVm vm, MemorySlot slot) {
        this.vm = vm;
        this.slot = slot;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void start() throws TrackerException {
        try {
            close();
            slot.give(vm, true);
            arena = Arena.ofShared();
            bitmap = arena.allocate(KvmVm.bitmapBytes(slot.memory().byteSize()), Long.BYTES);
        } catch (LinuxException e) {
            throw new TrackerException("KVM does not log writes: " + e.getMessage(), e);
        }
    }

    @Override
    public void harvest(DirtyBitmap into) throws TrackerException {
        try {
            vm.takeDirtyLog(slot.number(), bitmap);
        } catch (LinuxException e) {
            throw new TrackerException("every page counts as written: " + e.getMessage(),
                    e);
        }
        for (long word = 0; word < bitmap.byteSize(); word += Long.BYTES) {
            long bits = bitmap.get(JAVA_LONG, word);
            while (bits != 0) {
                int first = Long.numberOfTrailingZeros(bits);
                int count = Long.numberOfTrailingZeros(~(bits >>> first));
                into.markRange(slot.firstPage() + word * Byte.SIZE + first, count);
                bits = first + count == Long.SIZE ? 0 : bits & -1L << first + count;
            }
        }
    }

    @Override
    public void close() {
        if (arena != null) {
            slot.giveQuietly(vm);
            arena.close();
            arena = null;
        }
    }
}
