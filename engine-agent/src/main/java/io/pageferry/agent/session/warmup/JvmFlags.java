package io.pageferry.agent.session.warmup;

import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;

/** Logs which options this JVM lacks. Only an embedder's can lack one; all works without. */
public final class JvmFlags {
    private JvmFlags() {
    }

    /**
     * Logs a line where LZ4 may not use native code.
     *
     * @param listener gets the line
     */
    public static void checkLz4(MigrationListener listener) {
        Lz4Codec.missingFlag().ifPresent(flag -> listener.on(MigrationEvent.warn("LZ4 runs"
                + " without native code, several times slower: this JVM lacks " + flag)));
    }

    /**
     * Returns whether foreign functions may be called, which a warm-up needs, and logs where not.
     *
     * @param listener gets the line
     * @return whether they may
     */
    public static boolean allowNativeAccess(MigrationListener listener) {
        Module ours = JvmFlags.class.getModule();
        if (!ours.isNativeAccessEnabled()) {
            listener.on(MigrationEvent.warn("not warmed up: this JVM lacks --enable-native-access="
                    + (ours.isNamed() ? ours.getName() : "ALL-UNNAMED")));
        }
        return ours.isNativeAccessEnabled();
    }
}
