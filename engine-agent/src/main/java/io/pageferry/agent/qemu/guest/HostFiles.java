package io.pageferry.agent.qemu.guest;

import io.pageferry.agent.linux.ProcessMaps;
import io.pageferry.agent.qemu.QemuFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which files of which host hold a guest's RAM: source and target with one file would overwrite
 * each other, and both sides would look well until then.
 */
final class HostFiles {
    private static final String PREFIX = "host.ram.";

    private HostFiles() {
    }

    /** One attribute for each backend: this boot of this host, device and inode. */
    static Map<String, String> of(long pid, List<QemuFacts.Backend> backends) {
        Map<String, String> found = new TreeMap<>();
        try {
            String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
            for (QemuFacts.Backend backend : backends) {
                for (ProcessMaps.Mapping mapping : ProcessMaps.of(pid)) {
                    if (!backend.path().isEmpty() && mapping.path().startsWith(backend.path())) {
                        found.put(PREFIX + backend.id(), boot + ":" + mapping.file().device()
                                + ":" + mapping.file().inode());
                    }
                }
            }
        } catch (IOException unknown) {
            // Without an answer nothing is compared.
            return Map.of();
        }
        return found;
    }

    /** Tells which RAM both sides have in one file, or null. */
    static String shared(Map<String, String> ours, Map<String, String> theirs) {
        for (Map.Entry<String, String> file : ours.entrySet()) {
            if (file.getKey().startsWith(PREFIX) && theirs.containsValue(file.getValue())) {
                return file.getKey().substring(PREFIX.length());
            }
        }
        return null;
    }
}
