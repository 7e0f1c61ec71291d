package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A process that freezes a disk, says so, and does nothing more. */
final class FreezingAgent {
    private FreezingAgent() {
    }

    public static void main(String[] args) throws Exception {
        GuardProcess guard = GuardProcess.start();
        Freezer freezer = Freezer.open(BlockDevices.ofHost(),
                List.of(DeviceNumber.ofNode(Path.of(args[0]))));
        guard.holdFrozen(freezer.record(Duration.ofMillis(Long.parseLong(args[1]))));
        freezer.freeze(System.nanoTime() + Requirements.HANG.toNanos());
        System.out.println("frozen");
        System.in.read();
    }
}
