package io.pageferry.agent.guest.room;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No two guests that come are promised the same bytes. */
class RoomClaimTest {
    private static final long MIB = 1 << 20;
    private static final HostMemory MEMORY = new HostMemory(1000 * MIB, "on this host", "free it");

    @TempDir
    Path folder;

    private final HostRoom room = new HostRoom();
    private final RoomClaim one = room.claim();
    private final RoomClaim other = room.claim();
    private FileStore store;

    @BeforeEach
    void find() throws IOException {
        store = Files.getFileStore(folder);
    }

    private GuestException refused(RoomClaim claim, long mebi) {
        GuestException refused = assertThrows(GuestException.class,
                () -> claim.require(MEMORY, mebi * MIB));
        assertEquals(ErrorCode.NO_ROOM, refused.code());
        return refused;
    }

    private static void promised(RoomClaim claim, long mebi) {
        assertDoesNotThrow(() -> claim.require(MEMORY, mebi * MIB));
    }

    @Test
    void whatOneWasPromisedAnotherIsNot() {
        promised(one, 500);
        promised(one, 500); // it asks again at its first page
        GuestException refused = refused(other, 500);
        assertTrue(refused.getMessage().contains("450 MiB are available on this host (550 MiB more"
                + " are promised to guests on their way)"), refused::getMessage);
        assertTrue(refused.remedy().contains("wait until they are here"), refused::remedy);
        promised(other, 400);
    }

    @Test
    void whatIsGivenBackIsFree() {
        promised(one, 800);
        refused(other, 800);
        one.release();
        promised(other, 800);
    }

    @Test
    void whoIsRefusedHoldsNothing() {
        refused(one, 2000);
        promised(other, 900);
    }

    /** It is missing from what the host has then. */
    @Test
    void whatCameIsPromisedNoMore() {
        promised(one, 500);
        one.arrived(550 * MIB);
        promised(other, 500);
        one.release();
        promised(one, 400);
        refused(other, 600);
    }

    @Test
    void aFileSystemIsPromisedOnceToo() throws IOException {
        long free = one.take(store, 0).bytes();
        long most = free / 4 * 3;
        assertTrue(one.take(store, most).bytes() >= most);
        RoomClaim.Usable left = other.take(store, most);
        assertTrue(left.bytes() < most, left::toString);
        assertTrue(left.words().contains("are promised to guests"), left::words);
        promised(other, 900); // memory is another place
        one.release();
        assertTrue(other.take(store, most).bytes() >= most);
    }
}
