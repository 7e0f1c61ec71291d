package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.bpf.MarkingCode.Event;
import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The marks of one device, and the programs that make them. One thread. */
final class DiskMarks implements AutoCloseable {
    private final MarkedPages marks;
    private final List<BpfProgram> programs;
    private long missed;

    /** Of programs that make these marks already; owns all. */
    DiskMarks(MarkedPages marks, List<BpfProgram> programs) {
        this.marks = marks;
        this.programs = List.copyOf(programs);
    }

    /** Has everything marked that is written to a device from now on. */
    static DiskMarks begin(RequestLayout layout, BlockDevice device) throws IOException {
        MarkedPages marks = new MarkedPages(device.pages());
        List<BpfProgram> programs = new ArrayList<>();
        boolean all = false;
        try {
            byte[] turning = MarkingCode.assemble(layout, device, marks.map(), Event.TURNED);
            programs.add(BpfProgram.attach(turning, layout.issued()));
            programs.add(BpfProgram.attach(turning, layout.requeued()));
            programs.add(BpfProgram.attach(MarkingCode.assemble(layout, device, marks.map(),
                    Event.COMPLETED), layout.tracepoint()));
            all = true;
            return new DiskMarks(marks, programs);
        } finally {
            if (!all) {
                programs.forEach(BpfProgram::close);
                marks.close();
            }
        }
    }

    /** Moves the marks into a bitmap, as {@link MarkedPages#harvest}. */
    void harvest(DirtyBitmap into, long firstPage) {
        marks.harvest(into, firstPage);
    }

    /** Reports what began and was not seen to end, as {@link MarkedPages#reportOpen}. */
    void reportOpen(DirtyBitmap into, long firstPage) {
        marks.reportOpen(into, firstPage);
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
        programs.forEach(BpfProgram::close);
        marks.close();
    }
}
