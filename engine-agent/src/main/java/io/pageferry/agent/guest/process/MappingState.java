package io.pageferry.agent.guest.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The state of a process guest: no register and nothing of the kernel's, only what its regions
 * are and where they were mapped, as JSON.
 */
final class MappingState {
    private static final String SCHEMA = "pageferry.process/1";
    private static final ObjectMapper JSON = new ObjectMapper();

    private MappingState() {
    }

    static byte[] of(PausedProcess process, SharedMappings mappings) throws IOException {
        ObjectNode state = JSON.createObjectNode().put("schema", SCHEMA)
                .put("pid", process.pid()).put("command", process.command());
        var regions = state.putArray("regions");
        for (SharedMappings.Part part : mappings.parts()) {
            ObjectNode region = regions.addObject().put("name", part.name())
                    .put("size", part.size()).put("fileOffset", part.offset())
                    .put("fileSize", part.memory().size());
            var views = region.putArray("mappings");
            for (SharedMappings.View view : part.views()) {
                views.addObject().put("start", "0x" + Long.toHexString(view.start()))
                        .put("end", "0x" + Long.toHexString(view.end()))
                        .put("permissions", view.permissions())
                        .put("fileOffset", view.offset()).put("path", view.path());
            }
        }
        return (JSON.writerWithDefaultPrettyPrinter().writeValueAsString(state) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
