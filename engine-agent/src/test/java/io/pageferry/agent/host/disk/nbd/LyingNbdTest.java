package io.pageferry.agent.host.disk.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.disk.nbd.FakeNbd.Answer;
import io.pageferry.agent.host.disk.nbd.FakeNbd.Export;
import io.pageferry.agent.host.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** NBD servers that lie, and such as fall silent. */
class LyingNbdTest {
    private static final int MIB = 1 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(300);

    @TempDir
    private Path folder;

    private void assertNoExport(Export export, String why) throws IOException {
        try (FakeNbd server = new FakeNbd(folder, export, (asked, out) -> { })) {
            IOException no = assertThrows(IOException.class,
                    () -> NbdDisk.target(server.address(), "x", LIMIT).close());
            assertTrue(no.getMessage().contains(why), no.getMessage());
            assertFalse(no.getMessage().contains("\n"), no.getMessage());
        }
    }

    @Test
    void noExportIsTakenThatCannotBeOne() throws IOException {
        int all = FakeNbd.HAS_ALL;
        assertNoExport(new Export(0, all, 1, MIB, true), "has no bytes");
        assertNoExport(new Export(-1, all, 1, MIB, true), "no size");
        assertNoExport(new Export(Long.MAX_VALUE, all, 1, MIB, true), "no size");
        assertNoExport(new Export(MIB, all, 3, MIB, true), "blocks of 3");
        assertNoExport(new Export(MIB, all, 8192, MIB, true), "blocks of 8192");
        assertNoExport(new Export(MIB, all, 1, 512, true), "to 512 bytes");
        assertNoExport(new Export(MIB + 1, all, 512, MIB, true), "of an export of 1048577");
        assertNoExport(new Export(MIB, all | 2, 1, MIB, true), "is read-only");
        assertNoExport(new Export(MIB, 1, 1, MIB, true), "cannot be flushed");
    }

    private void assertNoServer(FakeNbd.Talk talk, String why) throws IOException {
        try (FakeNbd server = new FakeNbd(folder, talk)) {
            IOException no = assertThrows(IOException.class,
                    () -> NbdDisk.source(server.address(), "x", SHORT).close());
            assertTrue(no.getMessage().contains(why), no.getMessage());
        }
    }

    @Test
    void noServerIsTalkedToThatSpeaksSomethingElse() throws IOException {
        assertNoServer((in, out) -> out.writeBytes("SSH-2.0-OpenSSH_9.2p1\r\n"), "not speak NBD");
        assertNoServer((in, out) -> {
            out.writeBytes("NBDMAGIC");
            out.writeLong(0x00420281861253L);
            out.writeShort(0);
        }, "an old NBD");
        assertNoServer((in, out) -> in.read(), "did not answer for 300 ms");
        assertNoServer((in, out) -> {
            out.writeBytes("NBDMAGICIHAVEOPT");
            out.writeShort(3);
            FakeNbd.reply(out, 8, 1, Integer.MAX_VALUE);
            in.skipNBytes(1 << 20);
        }, "answers an option with 2147483647 bytes");
        assertNoServer((in, out) -> {
            out.writeBytes("NBDMAGICIHAVEOPT");
            out.writeShort(3);
            for (int i = 0; i < 1000; i++) {
                FakeNbd.reply(out, 8, 3, 0);
            }
            in.skipNBytes(1 << 20);
        }, "does not come to an end");
    }

    private String readFails(Export export, Answer answer) throws IOException {
        try (FakeNbd server = new FakeNbd(folder, export, (asked, out) -> {
            if (asked.type() == FakeNbd.STATUS) {
                FakeNbd.status(out, asked);
            } else {
                answer.to(asked, out);
            }
        }); Arena arena = Arena.ofShared();
                NbdDisk disk = NbdDisk.source(server.address(), "x", SHORT)) {
            MemorySegment into = arena.allocate(8192);
            IOException no = assertThrows(IOException.class, () -> disk.read(0, into, 0, 4096));
            assertFalse(no instanceof LinuxException, no.getMessage());
            assertFalse(disk.isUnchanged());
            assertEquals(0, into.get(ValueLayout.JAVA_LONG, 4096), "behind what was asked for");
            // Nothing waits for it again.
            assertThrows(IOException.class, () -> disk.read(0, into, 0, 4096));
            return no.getMessage();
        }
    }

    private void assertReadFails(Answer answer, String why) throws IOException {
        String said = readFails(Export.of(MIB), answer);
        assertTrue(said.contains(why), said);
    }

    @Test
    void noReplyIsBelievedThatDoesNotFitItsRequest() throws IOException {
        assertReadFails((asked, out) -> { }, "did not answer for 300 ms");
        assertReadFails((asked, out) -> {
            FakeNbd.chunk(out, asked, true, 1, 8 + 8192);
            out.write(new byte[8 + 8192]);
        }, "with 8200 bytes where there can be 4104");
        assertReadFails((asked, out) -> {
            FakeNbd.chunk(out, asked, true, 1, 8 + 4096);
            out.writeLong(4096);
            out.write(new byte[4096]);
        }, "at 4096");
        assertReadFails((asked, out) -> {
            FakeNbd.chunk(out, asked, true, 1, 8 + 512);
            out.write(new byte[8 + 512]);
        }, "with 512");
        assertReadFails((asked, out) -> {
            for (int i = 0; i < 2; i++) {
                FakeNbd.chunk(out, asked, i == 1, 1, 8 + 2048);
                out.write(new byte[8 + 2048]);
            }
        }, "or twice with the same");
        assertReadFails((asked, out) -> {
            FakeNbd.chunk(out, asked, true, 2, 12);
            out.writeLong(0);
            out.writeInt(-1);
        }, "with 4294967295");
        assertReadFails((asked, out) -> FakeNbd.chunk(out, asked, true, 1, -1), "4294967295 bytes");
        assertReadFails((asked, out) -> FakeNbd.chunk(out, new FakeNbd.Asked(0, 99, 0, 0), true,
                0, 0), "what nobody asked");
        assertReadFails((asked, out) -> {
            FakeNbd.chunk(out, asked, true, 0x8001, 6);
            out.writeInt(0);
            out.writeShort(0);
        }, "an error that is none");
        assertReadFails((asked, out) -> out.writeLong(0), "another form");
        String simple = readFails(new Export(MIB, FakeNbd.HAS_ALL, 1, MIB, false),
                (asked, out) -> {
                    FakeNbd.chunk(out, asked, true, 1, 8 + 4096);
                    out.write(new byte[8 + 4096]);
                });
        assertTrue(simple.contains("another form"), simple);
    }

    /** An error is of what was asked for, and the rest goes on. */
    @Test
    void anErrorIsOfItsRequestAlone() throws IOException {
        List<Integer> lengths = new ArrayList<>();
        try (FakeNbd server = new FakeNbd(folder, new Export(MIB, FakeNbd.HAS_ALL, 512, 8192,
                false), (asked, out) -> {
            lengths.add(asked.length());
            out.writeInt(0x67446698);
            out.writeInt(asked.offset() == 8192 ? 5 : 0);
            out.writeLong(asked.cookie());
            if (asked.type() == FakeNbd.READ && asked.offset() != 8192) {
                out.write(new byte[asked.length()]);
            }
        }); Arena arena = Arena.ofShared();
                NbdDisk disk = NbdDisk.target(server.address(), "x", LIMIT)) {
            MemorySegment into = arena.allocate(32768);
            LinuxException no = assertThrows(LinuxException.class,
                    () -> disk.read(8192, into, 0, 4096));
            assertEquals(5, no.errno());
            assertEquals(8192 / 512, disk.badSector(8192, into));
            assertTrue(disk.isUnchanged());
            lengths.clear();
            disk.read(16384, into, 0, 32768);
            assertEquals(List.of(8192, 8192, 8192, 8192), lengths);
            disk.sync();
        }
    }

    /** Some servers call all of a new image data, and would store the zeros that it has anyway. */
    @Test
    void aDiskThatWasMadeAMomentAgoHoldsNothing() throws IOException {
        List<Integer> asked = new ArrayList<>();
        try (FakeNbd server = new FakeNbd(folder, Export.of(3L * MIB), (request, out) -> {
            asked.add(request.type());
            FakeNbd.chunk(out, request, true, 0, 0);
        }); Arena arena = Arena.ofShared();
                NbdDisk disk = NbdDisk.connect(server.address(), "x", LIMIT, NbdDisk.Use.MADE)) {
            assertEquals(3L * MIB, disk.nextData(0));
            disk.zero(0, 2L * MIB);
            assertEquals(List.of(), asked);
            disk.write(MIB, arena.allocate(4096), 0, 4096);
            disk.zero(MIB, MIB);
            assertEquals(List.of(FakeNbd.WRITE, FakeNbd.ZERO), asked);
            assertEquals(MIB, disk.nextData(0));
            assertEquals(2L * MIB, disk.nextHole(MIB));
        }
    }

    @Test
    void whatIsSaidOfHolesIsChecked() throws IOException {
        try (FakeNbd server = new FakeNbd(folder, Export.of(MIB), (asked, out) -> {
            FakeNbd.chunk(out, asked, true, 5, 12);
            out.writeInt(FakeNbd.CONTEXT);
            out.writeInt(0);
            out.writeInt(3);
        })) {
            IOException no = assertThrows(IOException.class,
                    () -> NbdDisk.source(server.address(), "x", LIMIT).close());
            assertTrue(no.getMessage().contains("a part of no bytes"), no.getMessage());
        }
        // More than was asked about is cut.
        try (FakeNbd server = new FakeNbd(folder, Export.of(3L * MIB), (asked, out) -> {
            FakeNbd.chunk(out, asked, true, 5, 20);
            out.writeInt(FakeNbd.CONTEXT);
            out.writeInt(MIB + 1);
            out.writeInt(0);
            out.writeInt(-1);
            out.writeInt(3);
        }); NbdDisk disk = NbdDisk.source(server.address(), "x", LIMIT)) {
            assertEquals(2L * MIB, disk.nextHole(0));
            assertEquals(3L * MIB, disk.nextData(2L * MIB));
        }
    }
}
