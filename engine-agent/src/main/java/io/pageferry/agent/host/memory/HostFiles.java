package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import java.util.Map;
import java.util.Optional;

/**
 * Which files of which host hold a guest's RAM: source and target with one file would overwrite
 * each other, and both sides would look well until then.
 */
public final class HostFiles {
    private static final String PREFIX = "host.ram.";

    private HostFiles() {
    }

    /**
     * Notes one file: this boot of this host, device and inode.
     *
     * @param attributes of a guest, receives it
     * @param id         names the memory that it holds
     * @param file       which file
     */
    public static void put(Map<String, String> attributes, String id, ProcessMaps.FileId file) {
        of(file).ifPresent(value -> attributes.put(PREFIX + id, value));
    }

    /**
     * Returns what no other file has, on this host or another one.
     *
     * @param file which file
     * @return this boot of this host, device and inode; empty where the kernel does not name the
     *         boot: nothing is compared then
     */
    public static Optional<String> of(ProcessMaps.FileId file) {
        return Processes.bootId().isEmpty() ? Optional.empty() : Optional.of(Processes.bootId()
                + ":" + file.device() + ":" + file.inode());
    }

    /**
     * Returns which RAM both sides have in one file.
     *
     * @param ours   attributes of this side
     * @param theirs those of the other side; nothing in them is trusted
     * @return its id, or null where there is none
     */
    public static String shared(Map<String, String> ours, Map<String, String> theirs) {
        for (Map.Entry<String, String> file : ours.entrySet()) {
            if (file.getKey().startsWith(PREFIX) && theirs.containsValue(file.getValue())) {
                return file.getKey().substring(PREFIX.length());
            }
        }
        return null;
    }
}
