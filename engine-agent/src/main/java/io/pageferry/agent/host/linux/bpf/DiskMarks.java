package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.bpf.MarkingCode.Event;
import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.agrona.CloseHelper;

/** The marks of one device, and the programs that make them. One thread. */
final class DiskMarks implements AutoCloseable {
    private static final long PAGE_SECTORS = 8;

    private final BlockDevice device;
    private final MarkedPages marks;
    private final RequestTable requests;
    private final List<BpfProgram> programs;
    private long missed;

    /** Of programs that make these marks already; owns all. */
    DiskMarks(BlockDevice device, MarkedPages marks, RequestTable requests,
            List<BpfProgram> programs) {
        this.device = device;
        this.marks = marks;
        this.requests = requests;
        this.programs = List.copyOf(programs);
    }

    /** Has everything marked that is written to a device from now on. */
    static DiskMarks begin(RequestLayout layout, BlockDevice device) throws IOException {
        return begin(layout, device, EnumSet.allOf(Event.class));
    }

    /** The same, by some of the programs alone. */
    static DiskMarks begin(RequestLayout layout, BlockDevice device, Set<Event> events)
            throws IOException {
        List<AutoCloseable> opened = new ArrayList<>();
        List<BpfProgram> programs = new ArrayList<>();
        boolean all = false;
        try {
            MarkedPages marks = new MarkedPages(device.pages());
            opened.add(marks);
            RequestTable requests = new RequestTable();
            opened.add(requests);
            MarkingCode.Maps maps = new MarkingCode.Maps(marks.map(), requests.fd());
            for (Event event : events) {
                programs.add(BpfProgram.attach(MarkingCode.assemble(layout, device, maps, event),
                        event == Event.ISSUED ? layout.issued() : layout.completed()));
            }
            all = true;
            return new DiskMarks(device, marks, requests, programs);
        } finally {
            if (!all) {
                CloseHelper.closeAll(programs);
                CloseHelper.closeAll(opened);
            }
        }
    }

    /** Moves the marks into a bitmap, as {@link MarkedPages#harvest}. */
    void harvest(DirtyBitmap into, long firstPage) {
        marks.harvest(into, firstPage);
    }

    /**
     * Reports what began to be written and was not seen to end.
     *
     * @param into      receives it
     * @param firstPage index there of the device's first page
     * @throws IOException when the kernel does not tell
     */
    void reportOpen(DirtyBitmap into, long firstPage) throws IOException {
        if (marks.hasOverflown()) {
            into.markRange(firstPage, device.pages());
        }
        requests.look((from, to) -> {
            long first = Math.max(0, from - device.firstSector()) / PAGE_SECTORS;
            long end = Math.min(device.sectors(), to - device.firstSector());
            if (end > first * PAGE_SECTORS) {
                into.markRange(firstPage + first,
                        (end + PAGE_SECTORS - 1) / PAGE_SECTORS - first);
            }
        });
    }

    /** {@return how many runs of the programs the kernel left out since the last question} */
    long takeMissed() throws IOException {
        long now = 0;
        for (BpfProgram program : programs) {
            now += program.missedRuns();
        }
        long more = now - missed;
        missed = now;
        return more;
    }

    @Override
    public void close() {
        CloseHelper.closeAll(programs);
        requests.close();
        marks.close();
    }
}
