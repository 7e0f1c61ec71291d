package io.pageferry.agent.guest.qemu.memory;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The memory of a QEMU that waits for its state and whose monitor cannot be asked, because libvirt
 * holds it until then. What its backends are is in its arguments; a private one is found as the one
 * block of its size, a shared one by the name of its file.
 */
public final class WaitingMemory {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String OBJECT = "-object";
    private static final String BACKEND = "memory-backend-";

    private WaitingMemory() {
    }

    /**
     * Finds the memory for a guest.
     *
     * @param pid     the QEMU's
     * @param offered the guest; nothing in it is trusted
     * @return the memory, in the order of the guest's regions
     * @throws GuestException where it is another one, or cannot be distinguished
     */
    public static QemuMemory find(long pid, GuestDescription offered) throws GuestException {
        try {
            List<QemuFacts.Backend> backends = backends(Files.readString(
                    Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.UTF_8).split("\0"));
            OfferedMemory memory = new OfferedMemory(offered, backends, true);
            Map<Long, List<Long>> blocks = BlockMappings.of(pid);
            Map<String, BackendPlaces.Place> places = new TreeMap<>();
            for (QemuFacts.Backend one : memory.backends()) {
                if (one.type().equals("memory-backend-ram")) {
                    places.put(one.id(), new BackendPlaces.Place(-1, only(one, blocks)));
                }
            }
            QemuMemory found = QemuMemory.find(pid, places, memory.backends());
            found.requireFits(memory.attributes());
            return found;
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot look into QEMU (pid " + pid
                    + "): " + e.getMessage(), "run this as root");
        }
    }

    private static long only(QemuFacts.Backend backend, Map<Long, List<Long>> blocks)
            throws GuestException {
        List<Long> found = blocks.getOrDefault(
                PageGeometry.bytesOf(PageGeometry.pagesFor(backend.size())), List.of());
        if (found.size() != 1) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the RAM '" + backend.id()
                    + "' of " + backend.size() + " bytes is one of " + found.size()
                    + " blocks of QEMU that may be it", "keep its memory in files or memfds:"
                    + " <memoryBacking><source type='memfd'/><access mode='shared'/>");
        }
        return found.getFirst();
    }

    /** Objects are JSON from libvirt 7.0 on, words with commas before. */
    static List<QemuFacts.Backend> backends(String... arguments) throws IOException {
        List<QemuFacts.Backend> found = new ArrayList<>();
        for (int i = 0; i + 1 < arguments.length; i++) {
            if (!arguments[i].equals(OBJECT)) {
                continue;
            }
            JsonNode object = object(arguments[i + 1]);
            String type = object.path("qom-type").asText();
            if (type.startsWith(BACKEND)) {
                boolean share = object.path("share").asBoolean(
                        type.equals("memory-backend-memfd"));
                found.add(new QemuFacts.Backend(object.path("id").asText(), type,
                        object.path("size").asLong(), share, object.path("mem-path").asText(""),
                        PageGeometry.PAGE_SIZE));
            }
        }
        return found;
    }

    private static JsonNode object(String text) throws IOException {
        if (text.startsWith("{")) {
            try {
                return JSON.readTree(text);
            } catch (JsonProcessingException e) {
                throw new IOException("QEMU has -object " + text, e);
            }
        }
        var object = JSON.createObjectNode();
        for (String word : text.split(",")) {
            int equals = word.indexOf('=');
            String value = word.substring(equals + 1);
            if (equals < 0) {
                object.put("qom-type", word);
            } else if (value.equals("yes") || value.equals("on")) {
                object.put(word.substring(0, equals), true);
            } else {
                object.put(word.substring(0, equals), value);
            }
        }
        return object;
    }
}
