package io.pageferry.core.simulation;

/** An agent died here. An error, so that nothing in the engine takes it for its own. */
final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimulatedCrash(String where) {
        super(where);
    }
}
