package io.pageferry.agent.host.process;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How this program starts itself once more: same JDK, same class path, same options. */
public final class ChildJvm {
    /** What every JVM of Pageferry needs; the launcher gives the same. */
    private static final List<String> FLAGS = List.of("-Xlog:disable",
            "-Xlog:all=warning,aot*=off,cds*=off:stderr",
            "--enable-native-access=ALL-UNNAMED");

    private static final String MAIN = "io.pageferry.agent.cli.Main";

    private ChildJvm() {
    }

    /**
     * Makes the command line of a child.
     *
     * @param extra     JVM options before the user's own, which win
     * @param arguments of the command
     * @return program and arguments, for a {@link ProcessBuilder}
     */
    public static List<String> command(List<String> extra, List<String> arguments) {
        return command(System.getProperty("pageferry.cache"), extra, arguments);
    }

    /** Builds it with the launcher's cache, or null; one that does not fit is left out. */
    static List<String> command(String cache, List<String> extra, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(FLAGS);
        if (cache != null) {
            command.add("-XX:AOTCache=" + cache);
            command.add("-Dpageferry.cache=" + cache);
        }
        command.addAll(extra);
        String options = System.getenv("PAGEFERRY_OPTS");
        if (options != null && !options.isBlank()) {
            command.addAll(List.of(options.strip().split("\\s+")));
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(MAIN);
        command.addAll(arguments);
        return command;
    }
}
