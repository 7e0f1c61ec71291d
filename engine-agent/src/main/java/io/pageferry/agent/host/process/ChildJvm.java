package io.pageferry.agent.host.process;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** How this program starts itself once more: same JDK, same class path, same options. */
public final class ChildJvm {
    /** What every JVM of Pageferry needs; the launcher gives the same. */
    private static final List<String> FLAGS = List.of("-Xlog:disable",
            "-Xlog:all=warning,aot*=off,cds*=off:stderr",
            "--enable-native-access=ALL-UNNAMED");

    /** A command lives for seconds and its heap is small: docs/adr/0043. */
    private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData", "-Djdk.console=java.base");
    private static final Pattern ANY_COLLECTOR = Pattern.compile("-XX:\\+Use\\w*GC\\b");

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
        return command(System.getProperty("pageferry.cache"),
                Objects.toString(System.getenv("PAGEFERRY_OPTS"), ""), extra, arguments);
    }

    /** With the launcher's cache, or null, which is left out where it does not fit. */
    static List<String> command(String cache, String options, List<String> extra,
            List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(FLAGS);
        command.addAll(QUICK);
        if (!ANY_COLLECTOR.matcher(options).find()) {
            // Two of them are an error to the JVM.
            command.add("-XX:+UseSerialGC");
        }
        if (cache != null) {
            command.add("-XX:AOTCache=" + cache);
            command.add("-Dpageferry.cache=" + cache);
        }
        command.addAll(extra);
        if (!options.isBlank()) {
            command.addAll(List.of(options.strip().split("\\s+")));
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(MAIN);
        command.addAll(arguments);
        return command;
    }
}
