package io.pageferry.core.simulation;

import java.util.List;
import java.util.Random;

/**
 * Where one agent dies: at the n-th call of any port, or before or after one act that matters. It
 * burns once.
 */
final class Fuse {
    /** Acts around the change of owner at the source. */
    static final List<String> SOURCE_ACTS = List.of("J(SWITCHOVER)", "pause", "save",
            "send Complete", "J(GRANTED)", "send Grant", "J(OWNED)", "resume", "J(DONE)", "end",
            "send Farewell");

    /** Acts around the change of owner at the target. */
    static final List<String> TARGET_ACTS = List.of("prepare", "J(PREPARED)", "load",
            "send Ready", "J(ACTIVE)", "resume", "J(RUNNING)", "send Running", "J(REFUSED)",
            "discard", "send Refused");

    private String act = "";
    private boolean after;
    private int calls;

    /** A fuse that never burns. */
    static Fuse none() {
        return new Fuse();
    }

    /** A fuse that may burn, at a place drawn from the acts or after some calls. */
    static Fuse drawn(Random random, List<String> acts) {
        Fuse fuse = new Fuse();
        if (random.nextBoolean()) {
            fuse.act = acts.get(random.nextInt(acts.size()));
            fuse.after = random.nextBoolean();
        } else {
            fuse.calls = 1 + random.nextInt(40);
        }
        return fuse;
    }

    /** The act at which it burns, or an empty word. */
    String act() {
        return act;
    }

    /** Called before each act of a port. */
    void before(String name) {
        if (calls > 0 && --calls == 0 || !after && act.equals(name)) {
            burn("before " + name);
        }
    }

    /** Called after each act of a port. */
    void after(String name) {
        if (after && act.equals(name)) {
            burn("after " + name);
        }
    }

    private void burn(String where) {
        act = "";
        calls = 0;
        throw new SimulatedCrash(where);
    }
}
