package io.pageferry.core.image;

import io.pageferry.core.link.Message;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Compares the whole memory of a paused guest, as it is, with the checksums that the target read
 * back before it was granted the guest: what a tracker missed shows as a page. It reads and asks in
 * turn, 65536 pages at a time, fewer where they are read slowly: a target waits only so long for
 * the next question. CRC32C passes over one differing page in 2³². Confined to one thread.
 */
public final class MemoryAudit {
    private static final int MOST_NAMED = 8;

    /** Far below the 30 s that a target waits for the next question. */
    private static final long ASK_NANOS = 1_000_000_000;

    private final MemoryReader reader;
    private final ChecksumTable ours;
    private final RegionTable regions;
    private final Predicate<Message> target;
    private final List<String> named = new ArrayList<>();
    private long compared;
    private long differing;
    /** Pages in question, 0 for none. */
    private int asked;
    private long askedNanos;

    /**
     * Begins with the first page.
     *
     * @param memory of the paused guest
     * @param into   gets the sums of every page as it is; what it held before is replaced
     * @param target asks it for its checksums; false where the question was not taken: it is asked
     *               again
     */
    public MemoryAudit(PageSource memory, ChecksumTable into, Predicate<Message> target) {
        this.reader = new MemoryReader(memory, into);
        this.ours = into;
        this.regions = memory.regions();
        this.target = target;
    }

    /**
     * Reads some pages, and asks for those of the target when its own part is read, or a second
     * after the last question.
     *
     * @param most stop after so many
     * @param now  nanoseconds
     * @return how many were read
     */
    public int step(int most, long now) {
        long end = compared + part();
        int read = 0;
        if (reader.cursor() < end) {
            read = reader.step((int) Math.min(most, end - reader.cursor()));
        }
        boolean due = reader.cursor() >= end
                || reader.cursor() > compared && now - askedNanos >= ASK_NANOS;
        if (asked == 0 && !isDone() && due) {
            ask(Math.min(reader.cursor(), end) - compared, now);
        }
        return read;
    }

    private void ask(long pages, long now) {
        if (target.test(new Message.PageChecksumsRequest(compared, (int) pages))) {
            asked = (int) pages;
            askedNanos = now;
        }
    }

    private int part() {
        return (int) Math.min(Message.MAX_TABLE_PAGES, ours.pages() - compared);
    }

    /**
     * Takes what the target has.
     *
     * @param table its checksums; other pages than those asked for are not looked at
     */
    public void compare(Message.PageChecksums table) {
        if (asked == 0 || table.firstPage() != compared || table.crcs().length != asked) {
            return;
        }
        for (int crc : table.crcs()) {
            if (ours.get(compared) != crc) {
                differing++;
                if (named.size() < MOST_NAMED) {
                    named.add(regions.describe(compared));
                }
            }
            compared++;
        }
        asked = 0;
    }

    /** {@return whether all pages were compared} */
    public boolean isDone() {
        return compared == ours.pages();
    }

    /** {@return pages compared} */
    public long compared() {
        return compared;
    }

    /** {@return pages that differ among them} */
    public long differing() {
        return differing;
    }

    /** {@return the first pages that differ, as the end of a sentence} */
    public String describe() {
        return String.join(", ", named)
                + (differing > named.size() ? " and " + (differing - named.size()) + " more" : "");
    }
}
