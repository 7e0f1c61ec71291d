package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.bpf.BpfAssembler.Alu;
import io.pageferry.agent.host.linux.bpf.BpfAssembler.Jump;

/**
 * The programs that note in {@link MarkedPages} what a request changes on a device: page by page,
 * or coarsely where it is longer than {@link #FINE_PAGES}, as it mostly is where storage is given
 * back. When it is complete it is marked. When it begins, is put back, or is complete, its bits
 * among those of the open ones are turned over: what stays on began and was not seen to end.
 */
final class MarkingCode {
    /** What happens to a request. */
    enum Event {
        /** Its data is on the disk. */
        COMPLETED,
        /** It is handed to the driver, or put back by it. */
        TURNED
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
    private static final int SECTOR_SHIFT = 9;
    private static final int PAGE_SECTORS_SHIFT = 3;
    private static final int WORD_SHIFT = 6;

    private static final int SIGN_SHIFT = 63;

    /** On the stack: the index that is looked up; where fine or coarse marks begin. */
    private static final int KEY = -4;
    private static final int FIRST_WORD = -16;
    private static final int MASK = -24;
    /** Kept across calls: the bio or 0, steps, first bit and last bit of what is marked. */
    private static final int BIO = 6;
    private static final int STEPS = 7;
    private static final int FIRST = 8;
    private static final int LAST = 9;

    private final RequestLayout layout;
    private final BlockDevice device;
    private final int map;
    private final Event event;
    private final BpfAssembler code = new BpfAssembler();

    private MarkingCode(RequestLayout layout, BlockDevice device, int map, Event event) {
        this.event = event;
        this.layout = layout;
        this.device = device;
        this.map = map;
    }

    /** Assembles it for one device, and a map of its marks. */
    static byte[] assemble(RequestLayout layout, BlockDevice device, int map, Event event) {
        MarkingCode program = new MarkingCode(layout, device, map, event);
        program.ask();
        program.clip();
        program.mark();
        program.end();
        return program.code.bytes();
    }

    /** Whose request it is, and what it does; register 1 then is a sector, register 2 bytes. */
    private void ask() {
        code.loadLong(BIO, 1, 0); // the request, for now
        if (event == Event.COMPLETED) {
            code.loadLong(STEPS, 1, 16); // its bytes
        } else {
            code.load(STEPS, BIO, layout.request().bytes());
        }
        code.load(FIRST, BIO, layout.request().flags())
                .alu(Alu.AND, FIRST, OPERATION_MASK)
                .aluBy(Alu.MOV, 2, FIRST).alu(Alu.AND, 2, 1)
                .jumpIf(2, Jump.EQ, 0, "out")
                .loadLong(2, BIO, layout.request().queue())
                .loadLong(2, 2, layout.disk().disk())
                .jumpIf(2, Jump.EQ, 0, "out")
                .load(3, 2, layout.disk().major())
                .jumpIf(3, Jump.NE, device.disk().major(), "out")
                .load(3, 2, layout.disk().minor())
                .jumpIf(3, Jump.NE, device.disk().minor(), "out")
                // A command that was handed through to the disk, or a zone that was reset.
                .jumpIf(FIRST, Jump.GT, WRITE_ZEROES, "all")
                .loadLong(1, BIO, layout.request().sector())
                .aluBy(Alu.MOV, 2, STEPS)
                .alu(Alu.LSH, 2, Integer.SIZE).alu(Alu.RSH, 2, Integer.SIZE)
                .alu(Alu.MOV, STEPS, 0)
                .jumpIf(FIRST, Jump.NE, DISCARD, "single")
                // Several discards that do not follow each other may be one request.
                .loadLong(BIO, BIO, layout.request().bio())
                .jumpIf(BIO, Jump.NE, 0, "bio")
                .label("single").alu(Alu.MOV, BIO, 0).jump("range")
                .label("bio").loadLong(1, BIO, layout.bio().sector())
                .load(2, BIO, layout.bio().size());
    }

    /**
     * What of it is on the device, from its beginning, in pages, and how that is marked. Without
     * branches where it can be: the verifier goes both ways at each, again at each step.
     */
    private void clip() {
        code.label("range").alu(Alu.ADD, 2, (1 << SECTOR_SHIFT) - 1)
                .alu(Alu.RSH, 2, SECTOR_SHIFT).aluBy(Alu.ADD, 2, 1) // the sector behind it
                .constant(3, device.firstSector() + device.sectors());
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
        note(() -> code.loadLong(2, BpfAssembler.FRAME, FIRST_WORD)
                .aluBy(Alu.MOV, 3, FIRST).alu(Alu.RSH, 3, WORD_SHIFT).aluBy(Alu.ADD, 2, 3));
        ends();
        code.jumpBy(3, Jump.EQ, 2, "next")
                .alu(Alu.OR, FIRST, 63).alu(Alu.ADD, FIRST, 1)
                .alu(Alu.ADD, STEPS, 1).jumpIf(STEPS, Jump.LT, MOST_STEPS, "word")
                .jump("all")
                .label("next").jumpIf(BIO, Jump.EQ, 0, "out")
                .loadLong(BIO, BIO, layout.bio().next())
                .jumpIf(BIO, Jump.EQ, 0, "out")
                .alu(Alu.ADD, STEPS, 1).jumpIf(STEPS, Jump.LT, MOST_STEPS, "bio");
    }

    /** The words of the first and the last bit, in registers 2 and 3. */
    private void ends() {
        code.aluBy(Alu.MOV, 2, FIRST).alu(Alu.RSH, 2, WORD_SHIFT)
                .aluBy(Alu.MOV, 3, LAST).alu(Alu.RSH, 3, WORD_SHIFT);
    }

    private void end() {
        code.label("all").alu(Alu.MOV, 1, 1).storeLong(BpfAssembler.FRAME, MASK, 1);
        note(() -> code.alu(Alu.MOV, 2, MarkedPages.lastWord(device.pages())));
        code.label("out").alu(Alu.MOV, 0, 0).exit();
    }

    /**
     * Notes the mask in one word: marks come first, so that what ended is marked. One run does
     * both or nothing: where the kernel left it out, the bits stay turned.
     *
     * @param word has register 2 hold its index
     */
    private void note(Runnable word) {
        if (event == Event.COMPLETED) {
            word.run();
            find();
            code.atomicOr(0, 1);
        }
        word.run();
        code.alu(Alu.ADD, 2, MarkedPages.openWord(device.pages()));
        find();
        code.atomicXor(0, 1);
    }

    /** Has register 0 point to the word whose index register 2 holds, register 1 be the mask. */
    private void find() {
        code.store(BpfAssembler.FRAME, KEY, 2)
                .aluBy(Alu.MOV, 2, BpfAssembler.FRAME).alu(Alu.ADD, 2, KEY)
                .map(1, map).call(MAP_LOOKUP_ELEM)
                .jumpIf(0, Jump.EQ, 0, "out")
                .loadLong(1, BpfAssembler.FRAME, MASK);
    }
}
