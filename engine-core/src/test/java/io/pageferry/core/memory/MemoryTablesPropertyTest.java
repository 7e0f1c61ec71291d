package io.pageferry.core.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** The tables of checksums and of regions beside slow models of them. */
class MemoryTablesPropertyTest {
    /** Beyond one chunk of the table, so that there are pages in three. */
    private static final int PAGES = 2 * ChecksumTable.CHUNK_PAGES + 77;

    @Property(tries = 40)
    void theDigestIsThatOfTheContentsInWhateverOrderTheyCame(@ForAll long seed) {
        Random random = new Random(seed);
        Map<Integer, Integer> contents = new TreeMap<>();
        try (ChecksumTable first = new ChecksumTable(PAGES);
                ChecksumTable second = new ChecksumTable(PAGES)) {
            for (int i = 0; i < 300; i++) {
                int page = random.nextInt(PAGES);
                int crc = random.nextInt(8) == 0 ? PageChecksum.OF_ZEROS : random.nextInt();
                first.set(page, crc);
                contents.put(page, crc);
            }
            List<Integer> order = new ArrayList<>(contents.keySet());
            Collections.shuffle(order, random);
            order.forEach(page -> second.set(page, contents.get(page)));
            assertEquals(first.digest(), second.digest());
            assertEquals(first.digestOf(0, PAGES), first.digest());
            contents.forEach((page, crc) -> assertEquals(crc, first.get(page)));
            order.forEach(page -> first.set(page, PageChecksum.OF_ZEROS));
            try (ChecksumTable fresh = new ChecksumTable(PAGES)) {
                assertEquals(fresh.digest(), first.digest());
            }
        }
    }

    @Property(tries = 300)
    void aPageElsewhereOrTwoSwappedChangeTheDigest(@ForAll @IntRange(max = 99) int one,
            @ForAll @IntRange(max = 99) int two, @ForAll int crc, @ForAll int other) {
        if (one == two || crc == other || crc == PageChecksum.OF_ZEROS) {
            return;
        }
        try (ChecksumTable here = new ChecksumTable(100);
                ChecksumTable there = new ChecksumTable(100)) {
            here.set(one, crc);
            there.set(two, crc);
            assertNotEquals(here.digest(), there.digest());
            here.set(two, other);
            there.set(one, other);
            assertNotEquals(here.digest(), there.digest());
        }
    }

    @Property(tries = 300)
    void blocksAddUpToTheDigestAndNameTheDifference(@ForAll @IntRange(min = 1, max = 500) int pages,
            @ForAll @IntRange(min = 1, max = 600) int blockPages, @ForAll long seed) {
        Random random = new Random(seed);
        try (ChecksumTable here = new ChecksumTable(pages);
                ChecksumTable there = new ChecksumTable(pages)) {
            for (int page = 0; page < pages; page++) {
                int crc = random.nextInt();
                here.set(page, crc);
                there.set(page, crc);
            }
            int changed = random.nextInt(pages);
            there.set(changed, there.get(changed) + 1);
            long[] ours = here.blockDigests(blockPages);
            long[] theirs = there.blockDigests(blockPages);
            assertEquals(Math.ceilDiv(pages, blockPages), ours.length);
            long sum = 0;
            for (int i = 0; i < ours.length; i++) {
                sum += ours[i];
                assertEquals(i != changed / blockPages, ours[i] == theirs[i], "block " + i);
            }
            assertEquals(here.digest(), sum);
        }
    }

    @Example
    void aTableKnowsItsPagesOnly() {
        try (ChecksumTable table = new ChecksumTable(10)) {
            for (long beyond : new long[] {-1, 10, Long.MAX_VALUE}) {
                assertThrows(IndexOutOfBoundsException.class, () -> table.get(beyond));
                assertThrows(IndexOutOfBoundsException.class, () -> table.set(beyond, 1));
            }
        }
    }

    @Property(tries = 300)
    void everyPageLiesInTheRegionThatAWalkFinds(
            @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 1, max = 50) Integer> sizes) {
        List<Region> regions = new ArrayList<>();
        for (int pages : sizes) {
            regions.add(new Region(regions.size(), "r" + regions.size(), 0, pages * 4096L, 4096));
        }
        RegionTable table = new RegionTable(regions);
        long page = 0;
        for (Region region : regions) {
            assertEquals(page, table.firstPage(region.id()));
            for (long at = 0; at < region.pages(); at++, page++) {
                assertEquals(region.id(), table.regionOf(page));
                assertEquals(at * 4096, table.offsetInRegion(region.id(), page));
            }
            assertEquals(page, table.endPage(region.id()));
        }
        assertEquals(page, table.pageCount());
        assertEquals(page * 4096, table.totalBytes());
        long end = page;
        assertThrows(IndexOutOfBoundsException.class, () -> table.regionOf(end));
        assertThrows(IndexOutOfBoundsException.class, () -> table.regionOf(-1));
        assertEquals(new RegionTable(regions), table);
        assertEquals(new RegionTable(regions).hashCode(), table.hashCode());
    }

    @Example
    void aTableThatIsNoneIsRefused() {
        Region first = new Region(0, "a", 0, 4096, 4096);
        for (List<Region> wrong : List.of(List.<Region>of(),
                List.of(first, first),
                List.of(new Region(1, "a", 0, 4096, 4096)),
                List.of(first, new Region(1, "a", 0, 4096, 4096)),
                Collections.nCopies(RegionTable.MAX_REGIONS + 1, first))) {
            assertThrows(IllegalArgumentException.class, () -> new RegionTable(wrong));
        }
        for (long size : new long[] {0, -4096, 4095, 4097}) {
            assertThrows(IllegalArgumentException.class,
                    () -> new Region(0, "a", 0, size, 4096));
        }
        for (int granule : new int[] {0, 2048, 4097, 12_288, -4096}) {
            assertThrows(IllegalArgumentException.class,
                    () -> new Region(0, "a", 0, 4096, granule));
        }
        assertThrows(IllegalArgumentException.class,
                () -> new Region(0, "ü".repeat(128), 0, 4096, 4096));
    }
}
