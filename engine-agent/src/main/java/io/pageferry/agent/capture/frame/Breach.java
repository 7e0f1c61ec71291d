package io.pageferry.agent.capture.frame;

/** A rule that does not hold. Not a failure of the check, so it has no stack trace. */
public final class Breach extends Exception {
    private static final long serialVersionUID = 1;

    private final Rule rule;

    /**
     * Makes one.
     *
     * @param rule which rule
     * @param what in words
     */
    public Breach(Rule rule, String what) {
        super(what, null, false, false);
        this.rule = rule;
    }

    /** {@return which rule} */
    public Rule rule() {
        return rule;
    }

    /**
     * Requires a rule to hold.
     *
     * @param holds whether it does
     * @param rule  which rule
     * @param what  in words, where it does not
     * @throws Breach where it does not
     */
    public static void unless(boolean holds, Rule rule, String what) throws Breach {
        if (!holds) {
            throw new Breach(rule, what);
        }
    }
}
