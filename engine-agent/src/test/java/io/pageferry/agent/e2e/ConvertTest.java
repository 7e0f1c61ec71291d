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
    private static final String RAW = "raw";
    private static final List<String> FORMATS = List.of(RAW, "qcow2", "vmdk", "vhdx", "vdi");

    private record Pair(String from, String to) { }

    @BeforeEach
    void needsQemu() {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-nbd")),
                "no qemu-nbd: apt install qemu-utils");
    }

    private Path raw() throws IOException {
        return DiskContent.small(folder.resolve("source.raw"));
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
        assertCannotBoot(image, "vmdk");
        rig.awaitNothingLeft();
    }

    private void assertCannotBoot(Path image, String format) throws IOException {
        Path unfinished = folder.resolve("unfinished");
        DiskGuest.run("qemu-img", "convert", "-f", format, "-O", RAW, image.toString(),
                unfinished.toString());
        try (InputStream in = Files.newInputStream(unfinished)) {
            assertArrayEquals(new byte[MIB], in.readNBytes(MIB));
        }
    }

    /** No process watches over it: there is nothing that one would have to finish. */
    @Test
    void aKilledCopyLeavesNothingThatBootsNorAnythingToBeSettled() throws IOException {
        Path source = raw();
        byte[] before = Files.readAllBytes(source);
        Path made = folder.resolve("made.qcow2");
        Agent agent = rig.start("round 0", with(List.of("convert", source.toString(),
                made.toString())));
        agent.awaitHold("round 0");
        assertEquals(List.of(), ProcessHandle.of(agent.pid()).orElseThrow().descendants()
                .map(one -> one.info().commandLine().orElse(""))
                .filter(line -> line.contains("java")).toList());
        agent.kill();
        Poll.until(() -> ProcessHandle.allProcesses().noneMatch(one -> one.info().commandLine()
                .orElse("").contains(made.toString())), () -> "qemu-nbd stays");
        assertCannotBoot(made, "qcow2");
        assertArrayEquals(before, Files.readAllBytes(source), "the source was written");
        Agent status = rig.start("", List.of("status"));
        assertEquals(0, status.exit());
        assertFalse(status.words().contains("NOT SETTLED"), status::toString);
        E2e.assertEnds(0, "completed", convert(source.toString(), made.toString(), "--format",
                "qcow2"));
        rig.awaitNothingLeft();
    }

    /** A machine of VMware's, whose disk lies in a file of its own, and what QEMU makes of it. */
    @Test
    void aMachineIsCopiedWithItsDescription() throws IOException {
        Path source = raw();
        Files.move(source, folder.resolve("web-flat.vmdk"));
        Files.writeString(folder.resolve("web.vmdk"), "# Disk DescriptorFile\nversion=1\n"
                + "parentCID=ffffffff\nRW " + DiskContent.SMALL / 512
                + " FLAT \"web-flat.vmdk\" 0\n");
        Path vmx = Files.writeString(folder.resolve("web.vmx"), """
                displayName = "web"
                memsize = "64"
                numvcpus = "1"
                scsi0.virtualDev = "pvscsi"
                scsi0:0.present = "TRUE"
                scsi0:0.fileName = "web.vmdk"
                ethernet0.present = "TRUE"
                usb.present = "TRUE"
                """);
        Path made = folder.resolve("copy");
        Agent agent = convert(vmx.toString(), made.toString());
        E2e.assertEnds(0, "completed", agent);
        assertTrue(agent.words().contains("not taken over: the device usb"), agent::toString);
        assertEquals("Images are identical.", DiskContent.compare(
                folder.resolve("web-flat.vmdk"), RAW, made.resolve("web.qcow2"), "qcow2"));
        assertTrue(Files.exists(made.resolve("web.xml")));
        DiskGuest.run("sh", "-c", "echo quit | sh " + made.resolve("web.sh")
                + " -S -display none -monitor stdio");
        Agent again = convert(vmx.toString(), made.toString());
        E2e.assertEnds(3, "refused", again);
        assertTrue(again.report().at("/error/reason").asText().contains("is there already"),
                again::toString);
        Files.delete(folder.resolve("web-flat.vmdk"));
        Path other = folder.resolve("other");
        E2e.assertEnds(3, "refused", convert(vmx.toString(), other.toString()));
        assertFalse(Files.exists(other), "a folder is left");
    }

    @Test
    void whatIsThereIsNotReplacedUnlessItIsSaidWhatItIs() throws IOException {
        Path source = raw();
        Path there = LoopDevice.file(folder.resolve("there.img"), DiskContent.SMALL, MIB);
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
