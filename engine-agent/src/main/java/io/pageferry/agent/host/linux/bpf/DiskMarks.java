package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;

/** The marks of one device, and the program that makes them. One thread. */
final class DiskMarks implements AutoCloseable {
    private final MarkedPages marks;
    private final BpfProgram program;
    private long missed;

    /** Of a program that makes these marks already; owns both. */
    DiskMarks(MarkedPages marks, BpfProgram program) {
        this.marks = marks;
        this.program = program;
    }

    /** Has everything marked that is written to a device from now on. */
    static DiskMarks begin(RequestLayout layout, BlockDevice device) throws IOException {
        MarkedPages marks = new MarkedPages(device.pages());
        BpfProgram program = null;
        try {
            program = BpfProgram.attach(MarkingCode.assemble(layout, device, marks.map()),
                    layout.tracepoint());
        } finally {
            if (program == null) {
                marks.close();
            }
        }
        return new DiskMarks(marks, program);
    }

    /** Moves the marks into a bitmap, as {@link MarkedPages#harvest}. */
    void harvest(DirtyBitmap into, long firstPage) {
        marks.harvest(into, firstPage);
    }

    /** {@return how many runs of the program the kernel left out since the last question} */
    long takeMissed() throws IOException {
        long now = program.missedRuns();
        long more = now - missed;
        missed = now;
        return more;
    }

    @Override
    public void close() {
        program.close();
        marks.close();
    }
}
