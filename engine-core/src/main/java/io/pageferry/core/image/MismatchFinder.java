package io.pageferry.core.image;

import io.pageferry.core.link.Message;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.RegionTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Names the pages in which source and target differ: the target sends digests of blocks, the
 * source asks for the checksums of the first block that differs and compares them with its own.
 */
public final class MismatchFinder {
    private static final int MOST_NAMED = 4;

    private final ChecksumTable sent;
    private final RegionTable regions;
    private final Consumer<Message> target;
    private final List<String> named = new ArrayList<>();
    private long differing;
    private long blockEnd;
    private long asked = -1;
    private boolean done;

    /**
     * Begins with what was sent.
     *
     * @param sent    its checksums
     * @param regions name the pages
     * @param target  is asked for checksums
     */
    public MismatchFinder(ChecksumTable sent, RegionTable regions, Consumer<Message> target) {
        this.sent = sent;
        this.regions = regions;
        this.target = target;
    }

    /**
     * Takes the digests of the target's blocks and asks for the first that differs.
     *
     * @param mismatch what the target sent
     */
    public void compare(Message.Mismatch mismatch) {
        if (mismatch.blockPages() < 1
                || expectedBlocks(mismatch) != mismatch.blockDigests().length) {
            done = true;
            return;
        }
        long[] ours = sent.blockDigests(mismatch.blockPages());
        for (int i = 0; i < ours.length; i++) {
            if (ours[i] != mismatch.blockDigests()[i]) {
                long first = i * mismatch.blockPages();
                blockEnd = Math.min(sent.pages(), first + mismatch.blockPages());
                ask(first);
                return;
            }
        }
        done = true;
    }

    /**
     * Takes the checksums asked for; asks for more of the block while none differed.
     *
     * @param table what the target sent
     */
    public void compare(Message.PageChecksums table) {
        if (table.firstPage() != asked) {
            return;
        }
        asked = -1;
        for (int i = 0; i < table.crcs().length && table.firstPage() + i < blockEnd; i++) {
            long page = table.firstPage() + i;
            if (sent.get(page) != table.crcs()[i]) {
                differing++;
                if (named.size() < MOST_NAMED) {
                    named.add(regions.describe(page));
                }
            }
        }
        long next = table.firstPage() + table.crcs().length;
        if (differing > 0 || next >= blockEnd || table.crcs().length == 0) {
            done = true;
        } else {
            ask(next);
        }
    }

    /** {@return whether nothing more is asked for} */
    public boolean isDone() {
        return done;
    }

    /** {@return the pages found, as the end of a sentence; empty where none was} */
    public String describe() {
        return named.isEmpty() ? "" : ", first in " + String.join(", ", named)
                + (differing > named.size() ? " and " + (differing - named.size()) + " more" : "");
    }

    private void ask(long first) {
        asked = first;
        int count = (int) Math.min(Message.MAX_TABLE_PAGES, blockEnd - first);
        target.accept(new Message.PageChecksumsRequest(first, count));
    }

    private long expectedBlocks(Message.Mismatch mismatch) {
        return (sent.pages() + mismatch.blockPages() - 1) / mismatch.blockPages();
    }
}
