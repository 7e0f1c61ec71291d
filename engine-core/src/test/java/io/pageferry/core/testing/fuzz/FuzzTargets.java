package io.pageferry.core.testing.fuzz;

import java.util.List;

/** The targets of one module, in a public class that has a constructor without parameters. */
public interface FuzzTargets {
    /**
     * Makes the targets.
     *
     * @return fresh ones, each with a name of its own
     */
    List<FuzzTarget> all();
}
