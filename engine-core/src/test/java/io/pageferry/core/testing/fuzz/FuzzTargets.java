package io.pageferry.core.testing.fuzz;

import java.util.List;

/** The targets of one module. Has a public constructor without parameters: Jazzer finds it by name. */
public interface FuzzTargets {
    /**
     * Makes the targets.
     *
     * @return fresh ones, each with a name of its own
     */
    List<FuzzTarget> all();
}
