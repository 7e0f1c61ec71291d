package io.pageferry.agent.guest.image;

import io.pageferry.core.memory.ChecksumTable;
import java.util.ArrayList;
import java.util.List;

/**
 * What the pages of an image summed to: the migration's digest, and one digest for each of at most
 * {@link #MOST_BLOCKS} equal blocks, so that damage can be found again.
 *
 * @param digest     over all pages
 * @param blockPages 4 KiB pages in a block, the last may be shorter
 * @param blocks     the blocks' digests, in order
 */
record ImageDigests(long digest, long blockPages, List<Long> blocks) {
    static final int MOST_BLOCKS = 4096;

    ImageDigests {
        blocks = List.copyOf(blocks);
    }

    static ImageDigests of(ChecksumTable table) {
        return of(table, Math.ceilDiv(table.pages(), MOST_BLOCKS));
    }

    static ImageDigests of(ChecksumTable table, long blockPages) {
        List<Long> blocks = new ArrayList<>();
        for (long block : table.blockDigests(blockPages)) {
            blocks.add(block);
        }
        return new ImageDigests(table.digest(), blockPages, blocks);
    }

    /** Blocks in which another sum of the same pages differs, in order. */
    List<Integer> differing(ImageDigests other) {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            if (!blocks.get(i).equals(other.blocks.get(i))) {
                found.add(i);
            }
        }
        return found;
    }
}
