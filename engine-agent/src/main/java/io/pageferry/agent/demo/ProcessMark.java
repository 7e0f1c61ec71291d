package io.pageferry.agent.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process that is no child of this one, distinguished from a later one with the same number by
 * its start time.
 *
 * @param pid greater than 1
 * @param startTicks field 22 of /proc/PID/stat (man 5 proc)
 */
public record ProcessMark(long pid, long startTicks) {
    /** The process that has this number now. */
    public static ProcessMark of(long pid) throws IOException {
        if (pid <= 1) {
            throw new IllegalArgumentException("no process to own: " + pid);
        }
        return new ProcessMark(pid, Long.parseLong(stat(pid)[22 - 3]));
    }

    /**
     * False once it ended, also before its parent reaped it: then its files are closed and its
     * locks free. A zombie with more than one thread is not there yet: the first thread is dead,
     * and the others still hold them.
     */
    public boolean isAlive() {
        try {
            String[] stat = stat(pid);
            boolean ended = stat[0].equals("X")
                    || stat[0].equals("Z") && Integer.parseInt(stat[20 - 3]) <= 1;
            return Long.parseLong(stat[22 - 3]) == startTicks && !ended;
        } catch (IOException e) {
            return false;
        }
    }

    /** Sends SIGKILL if this is still that process; does not wait. */
    public void kill() {
        if (isAlive()) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** From field 3, the state, on: the name before it may hold blanks and brackets. */
    private static String[] stat(long pid) throws IOException {
        byte[] all = Files.readAllBytes(Path.of("/proc/" + pid + "/stat"));
        String line = new String(all, StandardCharsets.ISO_8859_1);
        return line.substring(line.lastIndexOf(')') + 2).split(" ");
    }
}
