package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.adapt.PartitionTable.Partition;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What lies on a partition, as blkid finds it. Nothing is attached or mounted for that.
 *
 * @param partition which
 * @param type      of file system or swap; empty where there is none that blkid knows
 * @param uuid      of it, or empty
 * @param label     of it, or empty
 */
record Content(Partition partition, String type, String uuid, String label) {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int NOTHING = 2;

    /** Looks at every partition, and refuses what must not be touched. */
    static List<Content> of(PrivateSpace space, Path disk, List<Partition> partitions)
            throws IOException {
        List<Content> all = new ArrayList<>();
        for (Partition one : partitions) {
            ProgramRunner.Ended ended = space.tryRun(LIMIT, List.of("blkid", "-p", "-o", "export",
                    "-O", Long.toString(one.first() * PartitionTable.SECTOR), "-S",
                    Long.toString(one.sectors() * PartitionTable.SECTOR), disk.toString()));
            if (ended.code() != 0 && ended.code() != NOTHING) {
                throw new IOException("blkid ended with " + ended.code() + " at partition "
                        + one.number() + ": " + ended.lastWords());
            }
            Map<String, String> values = new HashMap<>();
            ended.said().lines().map(line -> line.split("=", 2)).filter(pair -> pair.length == 2)
                    .forEach(pair -> values.put(pair[0], pair[1].replace("\\", "")));
            Content content = new Content(one, values.getOrDefault("TYPE", ""),
                    values.getOrDefault("UUID", ""), values.getOrDefault("LABEL", ""));
            content.require();
            all.add(content);
        }
        return all;
    }

    private void require() throws IOException {
        String where = "partition " + partition.number() + " is ";
        String instead = "run pageferry prepare in the machine before it is moved, or have"
                + " --adapter virt-v2v do it";
        switch (type) {
            case "LVM2_member" -> throw Refusal.of(where + "part of LVM, which is not adapted",
                    instead);
            case "linux_raid_member", "isw_raid_member", "ddf_raid_member" -> throw Refusal.of(
                    where + "part of a RAID, which is not adapted", instead);
            case "crypto_LUKS" -> throw Refusal.of(where + "encrypted", instead);
            case "BitLocker" -> throw Refusal.of(where + "of Windows, and encrypted",
                    "decrypt it there, then --adapter virt-v2v");
            case "swsuspend" -> throw Refusal.of(where + "of a machine that hibernates",
                    "start that machine and shut it down");
            default -> {
                // Looked at when a root is looked for.
            }
        }
    }

    /** {@return whether it is a file system that is mounted here and grown} */
    boolean isKnown() {
        return isExt() || type.equals("xfs");
    }

    /** {@return whether it is ext2, ext3 or ext4} */
    boolean isExt() {
        return type.matches("ext[234]");
    }

    /** {@return whether it is swap} */
    boolean isSwap() {
        return type.equals("swap");
    }

    /** {@return the same elsewhere on its disk} */
    Content at(Partition place) {
        return new Content(place, type, uuid, label);
    }
}
