package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitramfsTest {
    @TempDir
    Path folder;

    private record Entry(int mode, int major, int minor, byte[] data) {
    }

    private static Map<String, Entry> read(Path archive) throws IOException {
        Map<String, Entry> entries = new LinkedHashMap<>();
        try (InputStream in = Files.newInputStream(archive);
                DataInputStream cpio = new DataInputStream(new GZIPInputStream(in))) {
            while (true) {
                byte[] header = new byte[110];
                cpio.readFully(header);
                String text = new String(header, StandardCharsets.US_ASCII);
                assertEquals("070701", text.substring(0, 6));
                byte[] name = new byte[field(text, 11)];
                cpio.readFully(name);
                cpio.readFully(new byte[-(110 + name.length) & 3]);
                byte[] data = new byte[field(text, 6)];
                cpio.readFully(data);
                cpio.readFully(new byte[-data.length & 3]);
                assertEquals(0, name[name.length - 1]);
                String path = new String(name, 0, name.length - 1, StandardCharsets.US_ASCII);
                if (path.equals("TRAILER!!!")) {
                    assertEquals(-1, cpio.read());
                    return entries;
                }
                entries.put(path, new Entry(field(text, 1), field(text, 9), field(text, 10),
                        data));
            }
        }
    }

    private static int field(String header, int index) {
        return Integer.parseInt(header.substring(6 + 8 * index, 14 + 8 * index), 16);
    }

    @Test
    void holdsWhatTheKernelLooksFor() throws IOException {
        byte[] program = {1, 2, 3, 4, 5, 6, 7};
        Path busybox = Files.write(folder.resolve("busybox"), program);
        Path archive = folder.resolve("initramfs");
        Initramfs.write(archive, busybox);
        Map<String, Entry> entries = read(archive);
        assertArrayEquals(program, entries.get("bin/busybox").data());
        assertEquals(0100755, entries.get("bin/busybox").mode());
        assertEquals(0100755, entries.get("init").mode());
        assertEquals(0040755, entries.get("proc").mode());
        assertEquals(new Entry(0020600, 5, 1, entries.get("dev/console").data()),
                entries.get("dev/console"));
        String init = new String(entries.get("init").data(), StandardCharsets.UTF_8);
        assertTrue(init.startsWith("#!/bin/busybox sh\n"));
        assertTrue(init.contains("/writer.awk") && entries.containsKey("writer.awk"));
        for (String name : entries.keySet()) {
            int slash = name.lastIndexOf('/');
            assertTrue(slash < 0 || entries.containsKey(name.substring(0, slash)), name);
        }
    }

    @Test
    void equalInputsGiveEqualBytes() throws IOException {
        Path busybox = Files.write(folder.resolve("busybox"), new byte[5000]);
        Initramfs.write(folder.resolve("a"), busybox);
        Initramfs.write(folder.resolve("b"), busybox);
        assertEquals(-1, Files.mismatch(folder.resolve("a"), folder.resolve("b")));
    }
}
