package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One disk to several targets, read once. */
class FanOutTest extends WithRig {
    private static final int MIB = 1 << 20;
    /** More than the targets may differ by. */
    private static final int DISK = 44 * MIB;
    private static final int SECTOR = 512;

    private LoopDevice source;

    @AfterEach
    void detach() throws IOException {
        rig.close();
        if (source != null) {
            source.close();
        }
    }

    /** Without the audit, which is a second read. */
    private Agent migrate(List<Agent> targets, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("migrate", "disk:" + source,
                "--state-dir", rig.state().toString(), "--reconnect-window", "0s"));
        for (Agent target : targets) {
            arguments.addAll(List.of("--to", target.address()));
        }
        return rig.command(with(arguments, more));
    }

    /** See Documentation/block/stat.rst of the kernel. */
    private long read() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/sys/block/"
                + source.device().getFileName() + "/stat")).strip().split("\\s+")[2]) * SECTOR;
    }

    private Path target(int number) {
        return folder.resolve("target" + number);
    }

    private Agent receiver(int number, String hold) throws IOException {
        return rig.start(hold, List.of("receive", "disk:" + target(number) + "?format=raw",
                "--listen", "127.0.0.1:0", "--once"));
    }

    @Test
    void aDiskIsReadOnceForAllAndOneThatDiesEndsNoOther() throws IOException {
        source = LoopDevice.of(folder.resolve("source"), DISK, DISK);
        Agent first = receiver(1, "");
        Agent dies = receiver(2, "receiving");
        Agent third = receiver(3, "");
        Agent fourth = receiver(4, "");
        long before = read();
        Agent sender = migrate(List.of(first, dies, third, fourth));
        dies.awaitHold("receiving");
        dies.kill();
        for (Agent one : List.of(first, third, fourth)) {
            E2e.assertEnds(0, "completed", one);
        }
        assertEquals(4, sender.exit(), sender::toString);
        long read = read() - before;
        assertTrue(read <= DISK * 1.1, read + " bytes read");
        for (int number : List.of(1, 3, 4)) {
            DiskGuest.run("cmp", source.toString(), target(number).toString());
        }
        assertEquals("completed", sender.report().path("result").asText());
        JsonNode targets = sender.report().path("targets");
        List<String> results = new ArrayList<>();
        targets.forEach(one -> results.add(one.path("result").asText()));
        assertEquals(List.of("completed", "failed", "completed", "completed"), results);
        assertEquals(dies.address(), targets.at("/1/to").asText());
        String line = dies.address() + "  pageferry: ";
        assertTrue(sender.words().lines().anyMatch(one -> one.startsWith(line)), sender::toString);
        rig.awaitNothingLeft();
    }

    @Test
    void whatHasOneOwnerHasOneTarget() throws IOException {
        Agent refused = rig.command(List.of("migrate", "workload:1MiB", "--to", "127.0.0.1:1",
                "--to", "127.0.0.1:2"));
        E2e.assertEnds(2, "refused", refused);
        assertTrue(refused.words().contains("has one owner"), refused::toString);
    }
}
