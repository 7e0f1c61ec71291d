package io.pageferry.agent.guest.qemu.firmware;

import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.memory.PageGeometry;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes blocks of RAM as QEMU's own migration does (migration/ram.c, version 4 of the section
 * {@code ram}): the target QEMU finds each by its name and gives it the length it has here.
 */
final class RamSection {
    private static final int SECTION_START = 1;
    private static final int SECTION_PART = 2;
    private static final int SECTION_END = 3;
    private static final int SECTION_FOOTER = 0x7e;
    private static final int VERSION = 4;
    /** No section of QEMU has that number: it counts from 0. */
    private static final int NUMBER = 0x7fff_0000;

    /** Of a part without a page. */
    private static final int EMPTY_BYTES = 18;

    private static final int FLAG_ZERO = 0x02;
    private static final int FLAG_SIZES = 0x04;
    private static final int FLAG_PAGE = 0x08;
    private static final int FLAG_END = 0x10;
    private static final int FLAG_SAME_BLOCK = 0x20;

    private final DataOutputStream out;
    private final byte[] page = new byte[PageGeometry.PAGE_SIZE];

    RamSection(DataOutputStream out) {
        this.out = out;
    }

    /** Begins the section; every block that follows has to be named. */
    void begin(List<String> names, List<Long> lengths) throws IOException {
        out.writeByte(SECTION_START);
        out.writeInt(NUMBER);
        writeName("ram");
        out.writeInt(0); // instance
        out.writeInt(VERSION);
        out.writeLong(lengths.stream().mapToLong(Long::longValue).sum() | FLAG_SIZES);
        for (int i = 0; i < names.size(); i++) {
            writeName(names.get(i));
            out.writeLong(lengths.get(i));
        }
    }

    /** Writes pages of a block, the first ones or those behind others of it. */
    void pages(String name, long offset, MemorySegment from, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            long at = PageGeometry.bytesOf(i);
            boolean zero = ZeroCodec.isZero(from, at);
            boolean same = offset + at > 0;
            out.writeLong(offset + at | (zero ? FLAG_ZERO : FLAG_PAGE)
                    | (same ? FLAG_SAME_BLOCK : 0));
            if (!same) {
                writeName(name);
            }
            if (zero) {
                out.writeByte(0);
            } else {
                MemorySegment.copy(from, ValueLayout.JAVA_BYTE, at, page, 0, page.length);
                out.write(page);
            }
        }
    }

    /**
     * Writes nothing, in so many bytes or some more: parts of a section of that kind that hold no
     * page. Such a part may come at any time once the section has begun.
     */
    static void padding(DataOutputStream out, int bytes) throws IOException {
        for (int at = 0; at < bytes; at += EMPTY_BYTES) {
            out.writeByte(SECTION_PART);
            out.writeInt(NUMBER);
            out.writeLong(FLAG_END);
            out.writeByte(SECTION_FOOTER);
            out.writeInt(NUMBER);
        }
    }

    /** Ends the section. */
    void end() throws IOException {
        out.writeLong(FLAG_END);
        footer();
        out.writeByte(SECTION_END);
        out.writeInt(NUMBER);
        out.writeLong(FLAG_END);
        footer();
    }

    private void footer() throws IOException {
        out.writeByte(SECTION_FOOTER);
        out.writeInt(NUMBER);
    }

    private void writeName(String name) throws IOException {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        out.writeByte(bytes.length);
        out.write(bytes);
    }
}
