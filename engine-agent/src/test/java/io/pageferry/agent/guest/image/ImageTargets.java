package io.pageferry.agent.guest.image;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The table beside an image. What is taken is written again and means the same. */
public final class ImageTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new Table());
    }

    private static final class Table implements FuzzTarget {
        private static final Path FILE = Path.of("a.table");
        private static final Pattern DIGEST =
                Pattern.compile("\"digest\"\\s*:\\s*\"([0-9a-f]{16})\"");
        private static final Pattern BLOCKS =
                Pattern.compile("\"blockDigests\"\\s*:\\s*\\[([^\\]]*)");
        private static final Pattern BLOCK = Pattern.compile("\"([0-9a-f]{16})\"");

        @Override
        public String name() {
            return "image-table";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(ImageTable.class);
        }

        @Override
        public boolean parses(String method) {
            return List.of("parse", "digests", "count").contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            RegionTable regions = new RegionTable(List.of(
                    new Region(0, "ram", 0, 1 << 20, 4096),
                    new Region(1, "high", 1L << 32, 1 << 21, 1 << 21)));
            GuestDescription guest = new GuestDescription("qemu", "gäst", regions, 0,
                    Map.of("machine", "q35", "cpus", "2"));
            try {
                return Map.of("summed", new ImageTable("birth", guest, 5,
                        new ImageDigests(6, 512, List.of(-1L, 7L))).toBytes(),
                        "not-summed", new ImageTable("", guest, 0, null).toBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The digest of all is the sum of those of the blocks. */
        @Override
        public void seal(byte[] bytes) {
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            Matcher digest = DIGEST.matcher(text);
            Matcher blocks = BLOCKS.matcher(text);
            if (digest.find() && blocks.find()) {
                long sum = BLOCK.matcher(blocks.group(1)).results()
                        .mapToLong(one -> Long.parseUnsignedLong(one.group(1), 16)).sum();
                byte[] hex = ImageTable.hex(sum).getBytes(StandardCharsets.US_ASCII);
                System.arraycopy(hex, 0, bytes, digest.start(1), hex.length);
            }
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            ImageTable table;
            try {
                table = ImageTable.parse(FILE, bytes);
            } catch (IOException e) {
                require(e.getMessage().startsWith(FILE.toString()), e.toString());
                return false;
            }
            require(table.stateBytes() >= 0, "device state of " + table.stateBytes());
            require(table.guest().regions().pageCount() > 0
                    && table.guest().regions().totalBytes() > 0, "no memory");
            require(table.digests() == null || table.digests().blocks().stream()
                    .mapToLong(Long::longValue).sum() == table.digests().digest(), "digest");
            byte[] again = table.toBytes();
            ImageTable same = ImageTable.parse(FILE, again);
            require(same.equals(table), table + " is not " + same);
            require(Arrays.equals(again, same.toBytes()), "written in two ways");
            return true;
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
