package io.pageferry.agent.host.linux.block;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.core.testing.fuzz.TextTarget;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the kernel says is mounted: whoever mounts something chooses its names. */
public final class MountTargets implements FuzzTargets {
    private static final String MOUNTS = """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
            23 22 0:21 / /proc rw,nosuid - proc proc rw
            31 22 259:4 /sub\\040folder /mnt/a\\040b\\134c rw shared:7 master:2 - xfs /dev/sdb2 \
            rw,attr2
            """;

    @Override
    public List<FuzzTarget> all() {
        return List.of(new TextTarget("mountinfo", Mount.class, Set.of("ofText", "parse"),
                Map.of("mounts", MOUNTS), MountTargets::mounts));
    }

    /** Each line is a mount, of a device that can be written again. */
    private static boolean mounts(String text) throws IOException {
        List<Mount> all = Mount.ofText(text);
        if (all.size() != text.lines().count()) {
            throw new AssertionError(all.size() + " mounts");
        }
        for (Mount one : all) {
            if (!DeviceNumber.parse(one.device().toString()).equals(one.device())) {
                throw new AssertionError(one + " is on another device");
            }
        }
        return !all.isEmpty();
    }
}
