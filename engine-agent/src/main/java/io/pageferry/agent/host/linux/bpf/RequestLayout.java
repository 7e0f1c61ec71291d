package io.pageferry.agent.host.linux.bpf;

import java.io.IOException;

/**
 * Where this kernel has the fields of a block request that a program reads, in bytes; looked up at
 * each start, since they move with every kernel.
 *
 * @param completed number of the type definition of completions
 * @param issued    the same of what is handed to a driver
 * @param request   fields of {@code struct request}
 * @param bio       fields of {@code struct bio}
 * @param disk      fields on the way to the number of the disk
 */
record RequestLayout(int completed, int issued, Request request, Bio bio, Disk disk) {
    /** Of {@code struct request}: kind, first sector, bytes, queue, first of its bios. */
    record Request(int flags, int sector, int bytes, int queue, int bio) { }

    /** Of {@code struct bio}: the next one, first sector, bytes that are left. */
    record Bio(int next, int sector, int size) { }

    /** Of {@code struct request_queue} the disk, of {@code struct gendisk} its number. */
    record Disk(int disk, int major, int minor) { }

    /** Reached when data is on its disk, before whoever waits for that hears of it. */
    private static final String TRACEPOINT = "block_rq_complete";

    /** The first is what every tracepoint has; then request, error, bytes. */
    private static final int PARAMETERS = 4;
    /** The other: a request alone. */
    private static final int SHORT = 2;

    /**
     * Looks them up.
     *
     * @param btf of the running kernel
     * @throws IOException when this kernel has something else there than is known
     */
    static RequestLayout of(Btf btf) throws IOException {
        int tracepoint = tracepoint(btf, TRACEPOINT, PARAMETERS);
        int[] parameters = btf.parameters(btf.pointee(tracepoint, TRACEPOINT), TRACEPOINT);
        if (btf.sizeOfNumber(parameters[2]) == 0
                || btf.sizeOfNumber(parameters[3]) != Integer.BYTES) {
            throw unknown(TRACEPOINT);
        }
        int request = struct(btf, parameters[1], "request");
        Btf.Member queue = btf.member(request, "q");
        Btf.Member firstBio = btf.member(request, "bio");
        int bio = struct(btf, firstBio.type(), "bio");
        Btf.Member place = btf.member(bio, "bi_iter");
        Btf.Member disk = btf.member(struct(btf, queue.type(), "request_queue"), "disk");
        int gendisk = struct(btf, disk.type(), "gendisk");
        return new RequestLayout(tracepoint, tracepoint(btf, "block_rq_issue", SHORT),
                new Request(number(btf, request, "cmd_flags", Integer.BYTES),
                        number(btf, request, "__sector", Long.BYTES),
                        number(btf, request, "__data_len", Integer.BYTES), queue.offset(),
                        firstBio.offset()),
                new Bio(btf.member(bio, "bi_next").offset(),
                        place.offset() + number(btf, place.type(), "bi_sector", Long.BYTES),
                        place.offset() + number(btf, place.type(), "bi_size", Integer.BYTES)),
                new Disk(disk.offset(), number(btf, gendisk, "major", Integer.BYTES),
                        number(btf, gendisk, "first_minor", Integer.BYTES)));
    }

    /** Its second parameter is a request: the first is what every tracepoint has. */
    private static int tracepoint(Btf btf, String name, int count) throws IOException {
        int tracepoint = btf.typedef("btf_trace_" + name);
        if (tracepoint == 0) {
            throw new IOException("this kernel has no tracepoint " + name);
        }
        int[] parameters = btf.parameters(btf.pointee(tracepoint, name), name);
        if (parameters.length != count) {
            throw unknown(name);
        }
        struct(btf, parameters[1], "request");
        return tracepoint;
    }

    private static IOException unknown(String name) {
        return new IOException("this kernel's tracepoint " + name
                + " has other parameters than are known");
    }

    private static int struct(Btf btf, int pointer, String name) throws IOException {
        int struct = btf.pointee(pointer, "a pointer to " + name);
        if (!btf.isStruct(struct, name)) {
            throw new IOException("this kernel has no structure " + name + " where it is looked"
                    + " for");
        }
        return struct;
    }

    private static int number(Btf btf, int struct, String name, int bytes) throws IOException {
        Btf.Member member = btf.member(struct, name);
        if (btf.sizeOfNumber(member.type()) != bytes) {
            throw new IOException("this kernel's " + name + " has not " + bytes + " bytes");
        }
        return member.offset();
    }
}
