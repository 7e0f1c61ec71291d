package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.bpf.BpfAssembler.Alu;
import io.pageferry.agent.host.linux.bpf.BpfAssembler.Jump;

/**
 * The programs that note in {@link MarkedPages} what a request changes on a device: page by page,
 * or coarsely where it is longer than {@link #FINE_PAGES}, as it mostly is where storage is given
 * back. When it is complete it is marked.
 *
 * <p>When a request begins it is entered in a {@link RequestTable}, and taken out when it is
 * complete. The kernel uses a request again only when it has ended. So one that is there when it
 * begins had an end that was not seen, and what it changed is marked then.
 */
final class MarkingCode {
    /** What happens to a request. */
    enum Event {
        /** It is handed to the driver: perhaps again, when the driver had put it back. */
        ISSUED,
        /** Its data is on the disk, or a part of it. */
        COMPLETED
    }

    /** Longest part that is marked page by page: 16 MiB. */
    static final int FINE_PAGES = 4096;

    /** {@code enum req_op}: an operation is odd where it changes data. */
    private static final int OPERATION_MASK = 0xff;
    private static final int DISCARD = 3;
    private static final int WRITE_ZEROES = 9;

    /**
     * Words and bios of one request, which has at most 256 bios; beyond it everything counts as
     * changed. The kernel's verifier walks all of them.
     */
    private static final int MOST_STEPS = 400;
    private static final int MAP_LOOKUP_ELEM = 1;
    private static final int MAP_UPDATE_ELEM = 2;
    private static final int MAP_DELETE_ELEM = 3;
    private static final int SECTOR_SHIFT = 9;
    private static final int PAGE_SECTORS_SHIFT = 3;
    private static final int WORD_SHIFT = 6;

    private static final int SIGN_SHIFT = 63;

    /** Behind every disk. */
    private static final long FAR = 1L << 62;

    /** On the stack: the index that is looked up; where fine or coarse marks begin. */
    private static final int KEY = -4;
    private static final int FIRST_WORD = -16;
    private static final int MASK = -24;
    /** The request; its first sector and the one behind it; the same of whom it had been. */
    private static final int REQUEST = -32;
    private static final int RANGE = -48;
    private static final int RANGE_END = -40;
    private static final int EARLIER = -64;
    private static final int EARLIER_END = -56;
    /** 0 where a part of the request is still to be done, or it ended before. */
    private static final int WHOLE = -72;
    /** Kept across calls: the bio or 0, steps, first bit and last bit of what is marked. */
    private static final int BIO = 6;
    private static final int STEPS = 7;
    private static final int FIRST = 8;
    private static final int LAST = 9;

    private final RequestLayout layout;
    private final BlockDevice device;
    private final int map;
    private final int requests;
    private final Event event;
    private final BpfAssembler code = new BpfAssembler();

    private MarkingCode(RequestLayout layout, BlockDevice device, Maps maps, Event event) {
        this.event = event;
        this.layout = layout;
        this.device = device;
        this.map = maps.marks();
        this.requests = maps.requests();
    }

    /**
     * What the programs note in.
     *
     * @param marks    descriptor of {@link MarkedPages}
     * @param requests descriptor of a {@link RequestTable}
     */
    record Maps(int marks, int requests) { }

    /** Assembles it for one device. */
    static byte[] assemble(RequestLayout layout, BlockDevice device, Maps maps, Event event) {
        MarkingCode program = new MarkingCode(layout, device, maps, event);
        program.ask();
        if (event == Event.ISSUED) {
            program.enter();
        } else {
            program.parts();
        }
        program.clip();
        program.mark();
        program.end();
        return program.code.bytes();
    }

    /** Whose request it is, and what it does: register {@link #FIRST}. */
    private void ask() {
        code.loadLong(BIO, 1, 0) // the request, for now
                .storeLong(BpfAssembler.FRAME, REQUEST, BIO)
                .load(STEPS, BIO, layout.request().bytes());
        if (event == Event.COMPLETED) {
            // Of a part that is complete the rest is its own request from then on.
            code.loadLong(2, 1, 16).alu(Alu.LSH, 2, Integer.SIZE).alu(Alu.RSH, 2, Integer.SIZE)
                    .alu(Alu.MOV, 3, 0)
                    // So ends what was flushed behind its data, whose own end came before.
                    .jumpIf(2, Jump.EQ, 0, "part")
                    .jumpBy(2, Jump.LT, STEPS, "part").alu(Alu.MOV, 3, 1)
                    .label("part").storeLong(BpfAssembler.FRAME, WHOLE, 3)
                    .aluBy(Alu.MOV, STEPS, 2);
        }
        code.load(FIRST, BIO, layout.request().flags())
                .alu(Alu.AND, FIRST, OPERATION_MASK)
                .aluBy(Alu.MOV, 2, FIRST).alu(Alu.AND, 2, 1)
                .jumpIf(2, Jump.EQ, 0, "leave")
                .loadLong(2, BIO, layout.request().queue())
                .loadLong(2, 2, layout.disk().disk())
                .jumpIf(2, Jump.EQ, 0, "leave")
                .load(3, 2, layout.disk().major())
                .jumpIf(3, Jump.NE, device.disk().major(), "leave")
                .load(3, 2, layout.disk().minor())
                .jumpIf(3, Jump.NE, device.disk().minor(), "leave");
    }

    /**
     * What of it is complete; register 1 then is a sector, register 2 the one behind it. Several
     * discards that do not follow each other may be one request: the first of its bios.
     */
    private void parts() {
        // A command that was handed through to the disk, or a zone that was reset.
        code.jumpIf(FIRST, Jump.GT, WRITE_ZEROES, "all");
        single("bio");
        code.jump("bytes")
                .label("bio").loadLong(1, BIO, layout.bio().sector())
                .load(2, BIO, layout.bio().size())
                // To what follows: Linux 6.1 takes a loop only where a jump closes it.
                .jump("bytes")
                .label("bytes");
        behind();
    }

    /** A sector and bytes of what is one piece, and no bio; else the first bio. */
    private void single(String bios) {
        code.loadLong(1, BIO, layout.request().sector())
                .aluBy(Alu.MOV, 2, STEPS)
                .alu(Alu.MOV, STEPS, 0)
                .jumpIf(FIRST, Jump.NE, DISCARD, "single")
                .loadLong(BIO, BIO, layout.request().bio())
                .jumpIf(BIO, Jump.NE, 0, bios)
                .label("single").alu(Alu.MOV, BIO, 0);
    }

    /** Register 2, of bytes, becomes the sector behind those that begin at register 1. */
    private void behind() {
        code.alu(Alu.ADD, 2, (1 << SECTOR_SHIFT) - 1).alu(Alu.RSH, 2, SECTOR_SHIFT)
                .aluBy(Alu.ADD, 2, 1);
    }

    /** Enters it in the table; what is there of it before ended, and nobody saw it. */
    private void enter() {
        code.jumpIf(FIRST, Jump.GT, WRITE_ZEROES, "anywhere");
        single("bios");
        behind();
        code.aluBy(Alu.MOV, FIRST, 1).aluBy(Alu.MOV, LAST, 2).jump("enter")
                .label("bios").constant(FIRST, FAR).alu(Alu.MOV, LAST, 0);
        code.label("around").loadLong(1, BIO, layout.bio().sector())
                .load(2, BIO, layout.bio().size());
        behind();
        // The smaller first one and the larger end, without branches, as in clip.
        code.aluBy(Alu.SUB, 1, FIRST).aluBy(Alu.MOV, 3, 1).alu(Alu.ARSH, 3, SIGN_SHIFT)
                .aluBy(Alu.AND, 1, 3).aluBy(Alu.ADD, FIRST, 1)
                .aluBy(Alu.SUB, 2, LAST).aluBy(Alu.MOV, 3, 2).alu(Alu.ARSH, 3, SIGN_SHIFT)
                .alu(Alu.XOR, 3, -1).aluBy(Alu.AND, 2, 3).aluBy(Alu.ADD, LAST, 2)
                .loadLong(BIO, BIO, layout.bio().next())
                .jumpIf(BIO, Jump.EQ, 0, "enter")
                .alu(Alu.ADD, STEPS, 1).jumpIf(STEPS, Jump.LT, MOST_STEPS, "around")
                .label("anywhere").alu(Alu.MOV, FIRST, 0).constant(LAST, FAR)
                .label("enter").storeLong(BpfAssembler.FRAME, RANGE, FIRST)
                .storeLong(BpfAssembler.FRAME, RANGE_END, LAST);
        request().call(MAP_LOOKUP_ELEM).alu(Alu.MOV, STEPS, 0)
                .jumpIf(0, Jump.EQ, 0, "first")
                .loadLong(1, 0, 0).storeLong(BpfAssembler.FRAME, EARLIER, 1)
                .loadLong(1, 0, Long.BYTES).storeLong(BpfAssembler.FRAME, EARLIER_END, 1)
                .alu(Alu.MOV, STEPS, 1)
                .label("first");
        update();
        // Where the table is being changed by what this interrupted: by a name that is elsewhere
        // in it, and that nobody takes out.
        code.loadLong(1, BpfAssembler.FRAME, REQUEST).alu(Alu.ADD, 1, 1)
                .storeLong(BpfAssembler.FRAME, REQUEST, 1);
        update();
        code.alu(Alu.MOV, 1, 1).storeLong(BpfAssembler.FRAME, MASK, 1)
                .alu(Alu.MOV, 2, MarkedPages.overflowWord(device.pages()));
        find();
        code.atomicOr(0, 1)
                .label("entered").jumpIf(STEPS, Jump.EQ, 0, "leave")
                .alu(Alu.MOV, STEPS, 0).alu(Alu.MOV, BIO, 0)
                .loadLong(1, BpfAssembler.FRAME, EARLIER)
                .loadLong(2, BpfAssembler.FRAME, EARLIER_END);
    }

    private void update() {
        request().aluBy(Alu.MOV, 3, BpfAssembler.FRAME).alu(Alu.ADD, 3, RANGE)
                .alu(Alu.MOV, 4, 0).call(MAP_UPDATE_ELEM)
                .jumpIf(0, Jump.EQ, 0, "entered");
    }

    /** Has registers 1 and 2 be the table and where its key is. */
    private BpfAssembler request() {
        return code.map(1, requests).aluBy(Alu.MOV, 2, BpfAssembler.FRAME)
                .alu(Alu.ADD, 2, REQUEST);
    }

    /**
     * What of it is on the device, from its beginning, in pages, and how that is marked. Without
     * branches where it can be: the verifier goes both ways at each, again at each step.
     */
    private void clip() {
        code.constant(3, device.firstSector() + device.sectors());
        // The smaller one: what the difference is, where it is negative.
        code.aluBy(Alu.SUB, 2, 3).aluBy(Alu.MOV, 4, 2).alu(Alu.ARSH, 4, SIGN_SHIFT)
                .aluBy(Alu.AND, 2, 4).aluBy(Alu.ADD, 2, 3)
                .constant(3, device.firstSector());
        // The larger one, as a distance from the device's first sector.
        code.aluBy(Alu.SUB, 2, 3).aluBy(Alu.SUB, 1, 3)
                .aluBy(Alu.MOV, 4, 1).alu(Alu.ARSH, 4, SIGN_SHIFT).alu(Alu.XOR, 4, -1)
                .aluBy(Alu.AND, 1, 4)
                .jumpSigned(1, 2, "next")
                .alu(Alu.SUB, 2, 1)
                .aluBy(Alu.MOV, FIRST, 1).alu(Alu.RSH, FIRST, PAGE_SECTORS_SHIFT)
                .aluBy(Alu.MOV, LAST, 2).alu(Alu.RSH, LAST, PAGE_SECTORS_SHIFT)
                .alu(Alu.MOV, 2, FINE_PAGES - 1).aluBy(Alu.ADD, 2, FIRST)
                .aluBy(Alu.SUB, 2, LAST).alu(Alu.ARSH, 2, SIGN_SHIFT)
                .aluBy(Alu.MOV, 1, 2).alu(Alu.AND, 1, MarkedPages.COARSE_SHIFT)
                .aluBy(Alu.RSH, FIRST, 1).aluBy(Alu.RSH, LAST, 1)
                .alu(Alu.AND, 2, MarkedPages.coarseWord(device.pages()))
                .storeLong(BpfAssembler.FRAME, FIRST_WORD, 2);
    }

    /** Word after word, and bio after bio. */
    private void mark() {
        code.label("word").alu(Alu.MOV, 1, -1)
                .aluBy(Alu.MOV, 2, FIRST).alu(Alu.AND, 2, 63).aluBy(Alu.LSH, 1, 2);
        ends();
        code.jumpBy(3, Jump.NE, 2, "mask")
                .aluBy(Alu.MOV, 3, LAST).alu(Alu.AND, 3, 63)
                .alu(Alu.MOV, 2, 63).aluBy(Alu.SUB, 2, 3)
                .alu(Alu.MOV, 4, -1).aluBy(Alu.RSH, 4, 2).aluBy(Alu.AND, 1, 4)
                .label("mask").storeLong(BpfAssembler.FRAME, MASK, 1);
        code.loadLong(2, BpfAssembler.FRAME, FIRST_WORD)
                .aluBy(Alu.MOV, 3, FIRST).alu(Alu.RSH, 3, WORD_SHIFT).aluBy(Alu.ADD, 2, 3);
        find();
        code.atomicOr(0, 1);
        ends();
        code.jumpBy(3, Jump.EQ, 2, "next")
                .alu(Alu.OR, FIRST, 63).alu(Alu.ADD, FIRST, 1)
                .alu(Alu.ADD, STEPS, 1).jumpIf(STEPS, Jump.LT, MOST_STEPS, "word")
                .jump("all")
                .label("next");
        if (event == Event.COMPLETED) {
            code.jumpIf(BIO, Jump.EQ, 0, "out")
                    .loadLong(BIO, BIO, layout.bio().next())
                    .jumpIf(BIO, Jump.EQ, 0, "out")
                    .alu(Alu.ADD, STEPS, 1).jumpIf(STEPS, Jump.LT, MOST_STEPS, "bio");
        } else {
            code.jump("out");
        }
    }

    /** The words of the first and the last bit, in registers 2 and 3. */
    private void ends() {
        code.aluBy(Alu.MOV, 2, FIRST).alu(Alu.RSH, 2, WORD_SHIFT)
                .aluBy(Alu.MOV, 3, LAST).alu(Alu.RSH, 3, WORD_SHIFT);
    }

    /** Marks come first, so that what is taken out of the table is marked. */
    private void end() {
        code.label("all").alu(Alu.MOV, 1, 1).storeLong(BpfAssembler.FRAME, MASK, 1)
                .alu(Alu.MOV, 2, MarkedPages.lastWord(device.pages()));
        find();
        code.atomicOr(0, 1).label("out");
        if (event == Event.COMPLETED) {
            code.loadLong(1, BpfAssembler.FRAME, WHOLE).jumpIf(1, Jump.EQ, 0, "leave");
            request().call(MAP_DELETE_ELEM);
        }
        code.label("leave").alu(Alu.MOV, 0, 0).exit();
    }

    /** Has register 0 point to the word whose index register 2 holds, register 1 be the mask. */
    private void find() {
        code.store(BpfAssembler.FRAME, KEY, 2)
                .aluBy(Alu.MOV, 2, BpfAssembler.FRAME).alu(Alu.ADD, 2, KEY)
                .map(1, map).call(MAP_LOOKUP_ELEM)
                .jumpIf(0, Jump.EQ, 0, "leave")
                .loadLong(1, BpfAssembler.FRAME, MASK);
    }
}
