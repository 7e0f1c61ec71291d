package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.adapt.PartitionTable.Partition;
import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * The last file system of a disk, made as large as the disk is. Where swap is behind it, that moves
 * to the end: it holds nothing of a machine that is off.
 */
final class Growth {
    private static final Duration LIMIT = Duration.ofHours(1);
    private static final long ALIGNMENT = 2048;
    private static final Set<Integer> FINE = Set.of(0, 1);

    private final PrivateSpace space;
    private final PartitionTable table;
    private final List<Content> contents;
    private Content grown;
    private Content moved;

    private Growth(PrivateSpace space, PartitionTable table, List<Content> contents) {
        this.space = space;
        this.table = table;
        this.contents = new ArrayList<>(contents);
    }

    /** Moves the end of the table to the end of the disk, and what is last with it. */
    static Growth place(PrivateSpace space, PartitionTable table, List<Content> contents)
            throws IOException {
        Growth growth = new Growth(space, table, contents);
        growth.place();
        return growth;
    }

    private void place() throws IOException {
        List<Content> order = contents.stream().sorted(Comparator.comparingLong(
                one -> one.partition().end())).toList();
        Content last = order.getLast();
        long end = table.usableEnd() / ALIGNMENT * ALIGNMENT;
        if (last.isSwap() && order.size() > 1 && table.isGpt()) {
            Partition swap = last.partition();
            long first = (end - swap.sectors()) / ALIGNMENT * ALIGNMENT;
            if (first > swap.first()) {
                moved = put(last, first, swap.sectors());
                end = first;
            } else {
                end = swap.first();
            }
            last = order.get(order.size() - 2);
        }
        if (!last.isKnown()) {
            throw Refusal.of("its last partition, " + last.partition().number() + ", holds "
                    + (last.type().isEmpty() ? "nothing that is known" : last.type())
                    + " and cannot be grown", "leave --grow out");
        }
        Partition old = last.partition();
        grown = put(last, old.first(), Math.max(old.sectors(), end - old.first()));
    }

    private Content put(Content content, long first, long sectors) throws IOException {
        table.place(content.partition(), first, sectors);
        Content placed = content.at(new Partition(content.partition().number(), first, sectors));
        contents.set(contents.indexOf(content), placed);
        return placed;
    }

    /** {@return what is on the partitions now} */
    List<Content> contents() {
        return contents;
    }

    /** {@return what became of it, for people} */
    String words() {
        return "partition " + grown.partition().number() + " has " + (grown.partition().sectors()
                * PartitionTable.SECTOR >> 20) + " MiB"
                + (moved == null ? "" : ", swap moved to the end");
    }

    /** Grows the file system into its place; xfs does that mounted, for a moment. */
    void grow(AttachedDisk disk, Path scratch) throws IOException {
        if (moved != null) {
            List<String> swap = new ArrayList<>(List.of("mkswap", "-U", moved.uuid()));
            if (!moved.label().isEmpty()) {
                swap.addAll(List.of("-L", moved.label()));
            }
            swap.add(disk.node(moved.partition()));
            space.run(LIMIT, swap);
        }
        if (grown.isExt()) {
            String node = disk.node(grown.partition());
            int checked = space.tryRun(LIMIT, List.of("e2fsck", "-f", "-p", node)).code();
            if (!FINE.contains(checked)) {
                throw Refusal.of("the file system of partition " + grown.partition().number()
                        + " has errors", "e2fsck it first, or boot it once");
            }
            space.run(LIMIT, List.of("resize2fs", node));
        } else {
            space.run(LIMIT, List.of("mount", "-t", "xfs", "-o", "nouuid,nosuid,nodev",
                    disk.node(grown.partition()), scratch.toString()));
            space.run(LIMIT, List.of("xfs_growfs", scratch.toString()));
            space.run(LIMIT, List.of("umount", scratch.toString()));
        }
    }
}
