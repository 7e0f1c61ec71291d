package io.pageferry.bench.jmh;

/** What every fork needs; the parent's {@code pageferry.jvm.flags}, and warnings on stderr. */
public final class Jvm {
    /** For LZ4, Netty and our own downcalls. */
    public static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    /** By default the JVM writes its warnings to stdout. */
    public static final String QUIET = "-Xlog:disable";

    /** Where they belong. */
    public static final String WARNINGS = "-Xlog:all=warning:stderr";

    private Jvm() {
    }
}
