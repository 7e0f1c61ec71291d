package io.pageferry.agent.cli;

/** The entry of the {@code pageferry} command. */
public final class Main {
    private Main() { }

    /**
     * Says how to use the command; no command is there yet.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        System.err.println("Usage: pageferry COMMAND [options]");
        System.exit(2);
    }
}
