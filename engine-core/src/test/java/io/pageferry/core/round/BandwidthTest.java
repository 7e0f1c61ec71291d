package io.pageferry.core.round;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** How pages and copied disks share a link. */
class BandwidthTest {
    private static final long RATE = 8_000_003;

    @Test
    void withoutDisksPagesGetAllOfIt() {
        Bandwidth all = new Bandwidth(RATE, RATE);
        assertEquals(RATE, all.bytesPerSecond());
        assertEquals(RATE, all.switchoverBytesPerSecond());
    }

    @Test
    void pagesAndDisksTogetherTakeNoMoreThanThereIs() {
        Bandwidth shared = new Bandwidth(RATE, RATE).sharedWithDisks();
        assertEquals(RATE, shared.bytesPerSecond() + shared.diskBytesPerSecondBesidePages());
        assertEquals(6_000_003, shared.bytesPerSecond());
        assertEquals(6_000_003, shared.switchoverBytesPerSecond());
        assertEquals(RATE, shared.diskBytesPerSecond());
    }

    @Test
    void whatWasSaidOfTheLastRoundHolds() {
        Bandwidth apart = new Bandwidth(RATE, RATE).sharedWithDisks().withSwitchover(RATE);
        assertEquals(RATE, apart.switchoverBytesPerSecond());
        assertEquals(0, new Bandwidth(RATE, RATE).withSwitchover(0).switchoverBytesPerSecond());
    }

    @Test
    void noBoundStaysNone() {
        Bandwidth open = Bandwidth.UNLIMITED.sharedWithDisks();
        assertEquals(0, open.bytesPerSecond());
        assertEquals(0, open.diskBytesPerSecond());
        assertEquals(0, open.diskBytesPerSecondBesidePages());
    }
}
