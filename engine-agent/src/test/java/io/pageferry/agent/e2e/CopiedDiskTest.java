package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A guest whose raw and qcow2 images only its own side sees: they are copied with it. What does
 * not come to an end leaves nothing behind in either QEMU, and the guest on its own images.
 *
 * <p>One hop here, one of a paused guest and one end in the middle; five hops and every end by
 * {@code mvn verify -pl engine-agent -am -Dtest=CopiedDiskTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dpageferry.full=true}
 */
@Tag("full")
class CopiedDiskTest extends WithDisks {
    private static final String OPTION = "--copy-storage";
    /** At this rate 24 MiB take three minutes. */
    private static final String[] SLOW = {OPTION, "--bandwidth", "1Mbit/s"};

    private String next;
    private int made;

    @Override
    DemoQemu target() throws IOException {
        next = "disk" + ++made;
        DiskGuest.empty(folder, next, "24M");
        return rig.waiting(guest.machine(folder, next));
    }

    @Test
    void goesOnOnTheTargetsDisksAlone() throws IOException {
        int hops = Draw.FULL ? 5 : 1;
        for (int hop = 1; hop <= hops; hop++) {
            Agent target = rig.receive(waiting, "");
            Agent source = rig.migrate(home.qemu(), target, "", OPTION);
            E2e.assertMoved(source, target);
            assertCopied(source.report());
            System.out.println("hop " + hop + ", downtime " + source.report().path("downtimeMs")
                    + ", storage " + source.report().path("storage").path("durationMs"));
            home.movedTo(waiting);
            images = next;
            if (hop < hops) {
                DiskGuest.worksOn(home);
                waiting = target();
            }
        }
    }

    /** Nobody writes, so the images of both sides can be compared. */
    @Test
    void whatStandsStillHasEqualDisks() throws IOException {
        try (QemuControl control = home.qemu().control()) {
            control.stop();
        }
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "", OPTION, "--after", "keep",
                "--bandwidth", "1Gbit/s");
        E2e.assertMoved(source, target);
        assertCopied(source.report());
        assertEquals(List.of(), leftAtSource());
        assertEquals("paused", Rig.condition(waiting));
        for (String format : DiskGuest.FORMATS) {
            assertTrue(DiskGuest.run("qemu-img", "compare", "-U",
                    DiskGuest.image(folder, images, format).toString(),
                    DiskGuest.image(folder, next, format).toString())
                    .contains("Images are identical"));
        }
        home.movedTo(waiting);
        images = next;
        try (QemuControl control = waiting.control()) {
            assertTrue(control.cont().running());
        }
    }

    /** One of them, drawn by the seed of the run; all in the full count. */
    static Stream<Arguments> ends() {
        return Draw.sample(List.of(arguments("source", Signal.TERM),
                arguments("source", Signal.KILL), arguments("target", Signal.KILL)), 1).stream();
    }

    @ParameterizedTest
    @MethodSource("ends")
    void leavesNothingBehindWhenItEndsInTheMiddle(String side, Signal signal)
            throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "", SLOW);
        source.await("copies", event ->
                event.path("message").asText().contains("being copied"));
        Agent hurt = side.equals("source") ? source : target;
        hurt.signal(signal);
        Agent other = hurt == source ? target : source;
        assertEquals(4, other.exit(), other::toString);
        if (signal == Signal.TERM) {
            assertEquals(7, hurt.exit(), hurt::toString);
        }
        rig.awaitNothingLeft();
        assertEquals(List.of(), leftAtSource());
        assertEquals(List.of(), leftAtTarget());
        assertEquals("running", Rig.condition(home.qemu()));
        assertEquals("inmigrate", Rig.condition(waiting));
        if (hurt == target) {
            // It can be tried again at once, with the images as they are.
            Agent again = rig.receive(waiting, "");
            E2e.assertMoved(rig.migrate(home.qemu(), again, "", OPTION), again);
            home.movedTo(waiting);
            images = next;
        }
    }

    @Test
    void refusesADiskOfAnotherSizeAndItsOwn() throws IOException {
        DiskGuest.empty(folder, "large", "32M");
        refuses(DiskGuest.image(folder, "large", "qcow2"), "qemu-img create -f qcow2 ");
        refuses(DiskGuest.image(folder, images, "qcow2"), "in the same file");
        DiskGuest.empty(folder, "held", "24M");
        Path held = DiskGuest.image(folder, "held", "qcow2");
        try (Holder holder = Holder.take(held)) {
            refuses(held, holder.words());
        }
    }

    private void refuses(Path qcow2, String remedy) throws IOException {
        DemoQemu wrong = rig.waiting(guest.machine(DiskGuest.image(folder, next, "raw"), qcow2));
        Agent target = rig.receive(wrong, "");
        Agent source = rig.migrate(home.qemu(), target, "", OPTION);
        E2e.assertEnds(3, "refused", source);
        assertTrue(source.words().contains(remedy), source::toString);
        target.signal(Signal.TERM);
        target.exit();
        rig.end(wrong);
    }

    private void assertCopied(ObjectNode report) throws IOException {
        JsonNode storage = report.path("storage");
        assertEquals(2, storage.path("drives").size(), report::toString);
        long copied = 0;
        for (JsonNode drive : storage.path("drives")) {
            assertEquals(24L << 20, drive.path("size").asLong(), report::toString);
            assertTrue(drive.path("copiedBytes").asLong() >= 24L << 20, report::toString);
            copied += drive.path("copiedBytes").asLong();
        }
        assertTrue(copied >= 48L << 20, report::toString);
        assertTrue(storage.path("bytes").asLong() > 0, report::toString);
        assertTrue(storage.path("durationMs").asDouble() > 0, report::toString);
    }

    /** Jobs and nodes of ours. */
    private List<String> leftAtSource() throws IOException {
        return left(home.qemu(), List.of("query-jobs", "query-named-block-nodes"));
    }

    private List<String> leftAtTarget() throws IOException {
        return left(waiting, List.of("query-block-exports"));
    }

    private static List<String> left(DemoQemu qemu, List<String> questions) throws IOException {
        List<String> left = new ArrayList<>();
        try (QemuControl control = qemu.control()) {
            for (String question : questions) {
                for (JsonNode one : control.qmp().execute(question)) {
                    String name = one.path("id").asText() + one.path("node-name").asText();
                    if (name.startsWith("pageferry-")) {
                        left.add(name);
                    }
                }
            }
        }
        return left;
    }
}
