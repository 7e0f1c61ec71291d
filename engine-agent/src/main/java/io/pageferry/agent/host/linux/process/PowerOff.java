package io.pageferry.agent.host.linux.process;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Powers a machine off whose file systems may be frozen: no service could be stopped any more, so
 * the kernel is told (sysrq), which writes nothing to any disk.
 *
 * @param trigger what the kernel is told by
 * @param seconds until then: what is still to be said is said meanwhile
 */
public record PowerOff(Path trigger, int seconds) {
    /** {@return the way to power off the machine that this process runs on} */
    public static PowerOff ofHost() {
        return new PowerOff(Path.of("/proc/sysrq-trigger"), 5);
    }

    /** {@return whether this process may} */
    public boolean isAllowed() {
        return Files.isWritable(trigger);
    }

    /**
     * Powers off in a moment, whatever becomes of this process. Other file systems are written by
     * then, as far as they can be.
     *
     * @throws IOException when nothing can be started that does it
     */
    public void soon() throws IOException {
        new ProcessBuilder("setsid", "sh", "-c", "sync & sleep \"$1\"; echo o > \"$2\"", "poweroff",
                Integer.toString(seconds), trigger.toString())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }
}
