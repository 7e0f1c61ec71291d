package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A libvirtd is killed in each state of a move, at either side, and started again. */
@Tag("full")
class LibvirtDaemonTest extends WithLibvirt {
    private static final List<String> STATES = List.of("source round 0", "source switchover",
            "source paused", "target ready", "source granted", "target active", "target running",
            "source done");

    /**
     * When it is killed.
     *
     * @param side   whose daemon
     * @param holder who stands still at that
     * @param hold   state, see {@link Hold}
     * @param early  whether it is started again before that agent goes on
     */
    private record Case(int side, int holder, String hold, boolean early) {
        @Override
        public String toString() {
            return "libvirtd-of-" + word(side) + "-when-" + word(holder) + "-is-at-" + hold
                    + (early ? ", back at once" : ", back later");
        }

        private static String word(int side) {
            return side == 0 ? "source" : "target";
        }

        /** Restoring is libvirt's own business: it ends what it was killed over. */
        boolean moves() {
            return side == 0 || hold.equals("running") || hold.equals("done");
        }

        /** The target waits some seconds for the grant, which may be over on a busy host. */
        boolean maySay(int exit) {
            return exit == (moves() ? 0 : 4) || exit == 4 && hold.equals("granted");
        }
    }

    private static List<Case> cases() {
        List<Case> all = new ArrayList<>();
        for (String state : STATES) {
            for (int i = 0; i < 4; i++) {
                all.add(new Case(i / 2, state.startsWith("source") ? 0 : 1,
                        state.substring(state.indexOf(' ') + 1), i % 2 == 0));
            }
        }
        return Draw.sample(all, 2);
    }

    @Test
    void isKilledInAnyStateAndOneSideHasTheGuest() throws IOException {
        String owner = owner();
        int at = 0;
        for (Case one : cases()) {
            System.out.println(one);
            Agent target = receive(at + 1, one.holder == 1 ? one.hold : "", "--persistent");
            Agent source = migrate(at, target.address(), one.holder == 0 ? one.hold : "");
            Agent holder = one.holder == 0 ? source : target;
            holder.awaitHold(one.hold);
            LibvirtHost host = host(at + one.side);
            host.killDaemon();
            if (one.early) {
                host.startDaemon();
            }
            holder.goOn();
            if (!one.early && one.side == 1 && !one.moves()) {
                // It learns of it by itself, and says so whether or not that libvirt comes back.
                source.exit();
                assertTrue(source.toString().contains("libvirtd went away"), source::toString);
            }
            if (!one.early) {
                host.startDaemon();
            }
            boolean moved = source.exit() == 0;
            assertTrue(one.maySay(source.exit()), () -> one + ": " + source + target);
            E2e.assertEnds(moved ? 0 : 4, moved ? "completed" : "failed", target);
            at += moved ? 1 : 0;
            int other = at + 1;
            Poll.until(() -> !host(other).state(NAME).matches("running|paused"),
                    () -> "it is left at the other side: " + one);
            livesAt(at);
            if (moved) {
                // Else that of the target, which gives it to root, may have come back after all.
                assertEquals(owner, owner(), one::toString);
            }
            rig.awaitNothingLeft();
        }
    }
}
