package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.core.testing.fuzz.TextTarget;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The locks in the fdinfo of a disk. */
public final class LockTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new TextTarget("proc-locks", DiskLockHolders.class, Set.of("isInTheWay"),
                Map.of("byte", "lock:\t1: OFDLCK ADVISORY READ -1 fe:00:1234 101 101",
                        "end", "lock:\t2: POSIX  ADVISORY  WRITE 7 fe:00:1234 0 EOF"),
                DiskLockHolders::isInTheWay));
    }
}
