package io.pageferry.agent.host.machine.tree;

import java.io.IOException;
import java.util.List;

/** Runs programs of a system, whose root they see as theirs. */
public interface Programs {
    /**
     * Runs a program that has to succeed.
     *
     * @param command its name, looked for in the usual folders of the system, and its arguments
     * @return all it said
     * @throws IOException in its words where it does not, or is not there
     */
    String run(List<String> command) throws IOException;
}
