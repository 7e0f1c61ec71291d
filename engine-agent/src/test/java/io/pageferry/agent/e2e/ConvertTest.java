package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code convert}: from format to format, and what is left where it does not get to the end. */
@Tag("full")
class ConvertTest extends WithRig {
    private static final int MIB = 1 << 20;
    private static final int DISK = 24 * MIB;
    private static final String RAW = "raw";
    private static final List<String> FORMATS = List.of(RAW, "qcow2", "vmdk", "vhdx", "vdi");

    private record Pair(String from, String to) { }

    @BeforeEach
    void needsQemu() {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-nbd")),
                "no qemu-nbd: apt install qemu-utils");
    }

    private Path raw() throws IOException {
        return DiskContent.sparse(folder.resolve("source.raw"), DISK, 5 * MIB, 15 * MIB + 5);
    }

    private Agent convert(String... arguments) throws IOException {
        return rig.start("", with(List.of("convert"), arguments));
    }

    @Test
    void eachFormatBecomesEach() throws IOException {
        Path raw = raw();
        List<Pair> pairs = FORMATS.stream().flatMap(from -> FORMATS.stream()
                .map(to -> new Pair(from, to))).toList();
        for (Pair pair : Draw.sample(pairs, 3)) {
            Path source = pair.from().equals(RAW) ? raw : DiskContent.image(raw,
                    folder.resolve("source." + pair.from()), pair.from());
            byte[] before = Files.readAllBytes(source);
            Path target = folder.resolve("target." + pair.to());
            Agent agent = convert(source + "?format=" + pair.from(), target.toString(),
                    "--verify", "full");
            E2e.assertEnds(0, "completed", agent);
            assertEquals("source", agent.report().path("side").asText());
            assertEquals("memory", agent.report().path("transport").asText());
            assertTrue(agent.report().at("/verification/match").asBoolean(), agent::toString);
            assertEquals("Images are identical.", DiskContent.compare(source, pair.from(), target,
                    pair.to()), pair::toString);
            assertArrayEquals(before, Files.readAllBytes(source), "the source was written");
            Files.delete(target);
        }
        rig.awaitNothingLeft();
    }

    /** The shell sends it to every process of the command. */
    private static void ctrlC(Agent agent) throws IOException {
        DiskGuest.run("kill", "-INT", "--", "-" + agent.pid());
    }

    private Agent stopped(String to, String... more) throws IOException {
        Agent agent = rig.start(new Agent.Start(List.of("setsid"), List.of(),
                with(List.of("convert", raw().toString(), to), more), "round 0"));
        agent.awaitHold("round 0");
        ctrlC(agent);
        agent.goOn();
        E2e.assertEnds(7, "cancelled", agent);
        return agent;
    }

    @Test
    void whatIsCutOffLeavesNothingThatBoots() throws IOException {
        Path made = folder.resolve("made.qcow2");
        Agent first = stopped(made.toString());
        assertFalse(Files.exists(made), first::toString);
        assertTrue(first.words().contains("is deleted"), first::toString);
        Path image = DiskContent.image(raw(), folder.resolve("there.vmdk"), "vmdk");
        Agent second = stopped(image.toString(), "--format", "vmdk");
        assertTrue(second.words().contains("is unfinished and cannot boot"), second::toString);
        Path unfinished = folder.resolve("unfinished");
        DiskGuest.run("qemu-img", "convert", "-f", "vmdk", "-O", RAW, image.toString(),
                unfinished.toString());
        try (InputStream in = Files.newInputStream(unfinished)) {
            assertArrayEquals(new byte[MIB], in.readNBytes(MIB));
        }
        rig.awaitNothingLeft();
    }

    @Test
    void whatIsThereIsNotReplacedUnlessItIsSaidWhatItIs() throws IOException {
        Path source = raw();
        Path there = LoopDevice.file(folder.resolve("there.img"), DISK, MIB);
        byte[] before = Files.readAllBytes(there);
        Agent refused = convert(source.toString(), there.toString());
        E2e.assertEnds(3, "refused", refused);
        assertTrue(refused.report().at("/error/reason").asText().contains("is there already"),
                refused::toString);
        Agent itself = convert(source.toString(), source.toString(), "--format", RAW);
        E2e.assertEnds(3, "refused", itself);
        assertTrue(itself.report().at("/error/reason").asText().contains("onto itself"),
                itself::toString);
        assertArrayEquals(before, Files.readAllBytes(there));
        E2e.assertEnds(0, "completed", convert(source.toString(), there.toString(), "--format",
                RAW));
        DiskGuest.run("cmp", source.toString(), there.toString());
        rig.awaitNothingLeft();
    }
}
