package io.pageferry.core.testing.fuzz;

import java.util.List;
import java.util.Map;

/**
 * One parser, and what must hold of it whatever it is given. A target keeps memory between inputs
 * and is for one thread; an input finds nothing of those before it.
 */
public interface FuzzTarget {
    /**
     * Names the target.
     *
     * @return of lower-case letters, digits and dashes; its corpus is the folder of that name
     */
    String name();

    /**
     * Names the parser, which several targets may share.
     *
     * @return the {@link #name} where it is not shared
     */
    default String parser() {
        return name();
    }

    /**
     * Lists the classes of the parser.
     *
     * @return those whose lines the corpus must reach
     */
    List<Class<?>> parserClasses();

    /**
     * Tells which methods of these classes parse. The others, as those that write, do not count.
     *
     * @param method its name, {@code <init>} for a constructor
     * @return whether its lines count
     */
    default boolean parses(String method) {
        return true;
    }

    /**
     * Makes inputs by the real encoders.
     *
     * @return by name: the files that the corpus must have, without their first byte, which is 0
     */
    Map<String, byte[]> seeds();

    /**
     * Computes every sum of an input anew, in its place, so that a mutated one gets past them.
     *
     * @param bytes any
     */
    default void seal(byte[] bytes) {
        // Most formats have no sum.
    }

    /**
     * Gives an input to the parser.
     *
     * @param choice 0 … 31: a part of the input that is not bytes of the format, as where a stream
     *               is cut
     * @param bytes  any
     * @return whether it was taken; false where it was refused by the error that the parser
     *         declares for bad input
     * @throws Exception      what the parser must not throw: a finding
     * @throws AssertionError where something was taken that must not be: a finding
     */
    boolean take(int choice, byte[] bytes) throws Exception;
}
