package io.pageferry.agent.host.machine.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.machine.BootCheckCommand;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The mark of a machine that may have been moved away, and the unit that looks for it. */
class MoveMarkTest {
    private static final UUID MIGRATION = new UUID(3, 4);
    private static final String ANY = "01234567-89ab-cdef-0123-456789abcdef";
    private static final int WRITES = 100;
    private static final String HARDWARE = "4c4c4544-0042-3510-8052-b2c04f4d3332";

    @TempDir
    private Path root;

    private MoveMark mark() {
        return new MoveMark(new SystemTree(root));
    }

    private void write(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    private void unit() throws IOException {
        Edits edits = new Edits(new SystemTree(root));
        new BootUnit("/usr/bin/pageferry", "--insecure").add(edits);
        edits.apply();
    }

    @Test
    void itIsReadAsItWasWritten() throws IOException {
        write("sys/class/dmi/id/product_uuid", HARDWARE + "\n");
        unit();
        mark().writeIfWanted(MIGRATION, "10.0.0.2:4477");
        assertEquals(new MoveMark.Mark(MIGRATION, "10.0.0.2:4477", HARDWARE),
                mark().read().orElseThrow());
        mark().delete();
        assertTrue(mark().read().isEmpty());
    }

    /** Nobody would look at it, and it would keep nobody from a boot. */
    @Test
    void whereNoBootAsksThereIsNone() throws IOException {
        write("sys/class/dmi/id/product_uuid", HARDWARE + "\n");
        mark().writeIfWanted(MIGRATION, "10.0.0.2:4477");
        assertTrue(mark().read().isEmpty());
    }

    /** By it the copy at the target knows that it is the other one. */
    @ParameterizedTest
    @ValueSource(strings = {"", "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Not Settable"})
    void hardwareWithoutAnIdentityGetsNoUnit(String uuid) throws IOException {
        write("sys/class/dmi/id/product_uuid", uuid + "\n");
        assertThrows(GuestException.class, this::unit);
        assertThrows(IOException.class, () -> mark().write(MIGRATION, "10.0.0.2:4477"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}",
        "{\"schema\":\"pageferry.moving/1\",\"migration\":\"1\"}",
        "{\"schema\":\"pageferry.moving/1\",\"migration\":\"" + ANY + "\",\"peer\":\"a:1\"}"})
    void aDamagedOneIsNotTakenForNone(String text) throws IOException {
        write("var/lib/pageferry/moving.json", text);
        IOException no = assertThrows(IOException.class, () -> mark().read());
        assertFalse(no.getMessage().contains("\n"), no.getMessage());

        write("sys/class/dmi/id/product_uuid", HARDWARE + "\n");
        assertEquals(6, check());
        assertThrows(IOException.class, () -> mark().read(), "it is left");
        assertEquals(0, check("--source", "--target-is-fenced"));
        assertTrue(mark().read().isEmpty());
    }

    private int check(String... more) throws IOException {
        BootCheckCommand command = new BootCheckCommand();
        new CommandLine(command).parseArgs(Stream.concat(Stream.of("--root", root.toString()),
                Stream.of(more)).toArray(String[]::new));
        return command.call();
    }

    /** What shows no UUID may be the hardware that the machine was moved from. */
    @ParameterizedTest
    @ValueSource(strings = {"", "00000000-0000-0000-0000-000000000000", "missing"})
    void hardwareThatCannotBeToldStaysDown(String uuid) throws IOException {
        String file = "sys/class/dmi/id/product_uuid";
        write(file, HARDWARE + "\n");
        mark().write(MIGRATION, "127.0.0.1:1");
        write(file, uuid + "\n");
        if (uuid.equals("missing")) {
            Files.delete(root.resolve(file));
        }
        assertEquals(6, check());
        assertTrue(mark().read().isPresent());
        write(file, ANY + "\n");
        assertEquals(0, check());
        assertTrue(mark().read().isEmpty());
    }

    /** A power cut while it is written again does not lose it: at no moment it is not there. */
    @Test
    void itIsThereWholeWhileItIsWrittenAgain() throws Exception {
        write("sys/class/dmi/id/product_uuid", HARDWARE + "\n");
        mark().write(MIGRATION, "10.0.0.2:4477");
        FutureTask<Void> writes = new FutureTask<>(() -> {
            for (int i = 0; i < WRITES; i++) {
                mark().write(MIGRATION, "10.0.0.2:4477");
            }
            return null;
        });
        Thread.ofPlatform().start(writes);
        do {
            assertTrue(mark().read().isPresent());
        } while (!writes.isDone());
        writes.get();
    }

    /** Whatever brings a network up waits for it, and everything that has usual dependencies. */
    @Test
    void whatMustNotStartWaitsForTheUnit() throws IOException {
        write("sys/class/dmi/id/product_uuid", HARDWARE + "\n");
        unit();
        String unit = Files.readString(root.resolve(BootUnit.PATH.substring(1)));
        assertTrue(unit.contains("ExecStart=/usr/bin/pageferry boot-check --insecure\n"), unit);
        assertTrue(unit.contains("ConditionPathExists=" + MoveMark.PATH + "\n"), unit);
        for (String held : List.of("sysinit.target", "networking.service",
                "systemd-networkd.service")) {
            assertTrue(Files.readString(root.resolve("etc/systemd/system/" + held
                    + ".d/50-pageferry.conf")).contains("Requires=pageferry-boot-check.service"));
        }
    }

    @Test
    void aRootIsToldFromOtherMounts() {
        DeviceNumber device = new DeviceNumber(8, 1);
        FrozenMounts data = new FrozenMounts(List.of(new FrozenMounts.Place(1, device,
                Path.of("/srv"))), Duration.ofSeconds(1));
        FrozenMounts all = new FrozenMounts(List.of(data.mounts().getFirst(),
                new FrozenMounts.Place(2, device, Path.of("/"))), Duration.ofSeconds(1));
        assertFalse(data.hasRoot());
        assertTrue(all.hasRoot());
    }
}
