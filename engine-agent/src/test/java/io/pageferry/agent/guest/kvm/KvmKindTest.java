package io.pageferry.agent.guest.kvm;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The kind {@code kvm:}: what it takes and what it refuses. */
class KvmKindTest {
    private static final GuestUri SMALL = GuestUri.parse("kvm:2MiB?set=1MiB");
    private static final GuestSetup SETUP = new GuestSetup(TrackerChoice.AUTO, true, pid -> -1);

    private final KvmKind kind = new KvmKind();

    @Test
    void isFoundByItsScheme() {
        assertEquals(KvmKind.class, GuestKinds.of(SMALL).getClass());
    }

    @Test
    void uriThatMakesNoSenseSaysWhy() {
        assertBad("1MiB to 2GiB", "kvm:512KiB");
        assertBad("1MiB to 2GiB", "kvm:3GiB");
        assertBad("between 1MiB and the size", "kvm:2MiB?set=4MiB");
        assertBad("one parameter, set", "kvm:2MiB?rate=1MiB/s");
    }

    private void assertBad(String words, String uri) {
        IllegalArgumentException bad = assertThrows(IllegalArgumentException.class,
                () -> kind.inspect(GuestUri.parse(uri)));
        assertTrue(bad.getMessage().contains(words), bad.getMessage());
    }

    @Test
    void whereKvmDoesNotOpenEverythingSaysSo() throws Exception {
        for (String device : new String[] {"/dev/null", "/nosuch/kvm"}) {
            KvmKind closed = new KvmKind(device);
            assertEquals(Verdict.REFUSED, closed.inspect(SMALL).getFirst().verdict());
            assertTrue(closed.inspect(SMALL).getFirst().found().startsWith(device));
            assertUnavailable(device, assertThrows(GuestException.class,
                    () -> closed.openSource(SMALL, SETUP)));
            assertUnavailable(device, assertThrows(GuestException.class,
                    () -> closed.openTarget(SMALL, SETUP)));
        }
    }

    private static void assertUnavailable(String device, GuestException refused) {
        assertEquals(ErrorCode.HOST_FAILED, refused.code());
        assertTrue(refused.getMessage().contains(device), refused.getMessage());
        assertFalse(refused.remedy().isEmpty());
    }

    @Test
    void checkIsContentWhereItOpens() {
        NeedsKvm.orSkip();
        assertTrue(kind.inspect(SMALL).stream().allMatch(row -> row.verdict() == Verdict.OK));
    }

    @Test
    void canBeWarmedUp() {
        NeedsKvm.orSkip();
        assertDoesNotThrow(kind::warmUp);
    }

    @Test
    void anotherTrackerIsRefused() {
        NeedsKvm.orSkip();
        assertThrows(IllegalArgumentException.class, () -> kind.openSource(SMALL,
                new GuestSetup(TrackerChoice.USERFAULTFD, false, pid -> -1)));
    }

    @Test
    void anotherGuestIsRefusedAndTheRightOneTakenAlsoAfterItWasDiscarded() throws Exception {
        NeedsKvm.orSkip();
        try (SourceGuest guest = kind.openSource(SMALL, SETUP);
                TargetGuest target = kind.openTarget(SMALL, SETUP)) {
            GuestDescription right = guest.describe();
            assertRefused(target, new GuestDescription("workload", "w", right.regions(), 0,
                    Map.of()), "receive it as workload:");
            assertRefused(target, new GuestDescription("kvm", "k",
                    RegionTable.single("ram", 4 << 20), 0, Map.of()), "kvm:4194304B");
            assertNotNull(target.prepare(right));
            target.discard();
            assertNotNull(target.prepare(right));
            assertThrows(GuestException.class, () -> target.loadState(new byte[464]));
        }
    }

    private static void assertRefused(TargetGuest target, GuestDescription offered, String remedy) {
        GuestException refused = assertThrows(GuestException.class, () -> target.prepare(offered));
        assertEquals(ErrorCode.GUEST_MISMATCH, refused.code());
        assertTrue(refused.remedy().contains(remedy), refused.remedy());
    }
}
