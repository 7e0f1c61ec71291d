package io.pageferry.agent.guest.qemu.disk;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A disk that the guest can write to.
 *
 * @param name   QEMU's for the drive, else the device's path: equal on both sides
 * @param node   of the block layer; one process's own
 * @param file   its image
 * @param format of the image
 * @param size   bytes that the guest sees
 */
record Disk(String name, String node, String file, String format, long size) {
    /** In the order of their names. */
    static List<Disk> of(QemuControl qemu) throws QmpException {
        List<Disk> disks = new ArrayList<>();
        for (JsonNode one : qemu.qmp().execute("query-block")) {
            JsonNode medium = one.path("inserted");
            String device = one.path("device").asText("");
            if (!medium.path("ro").asBoolean(true)) {
                disks.add(new Disk(device.isEmpty() ? one.path("qdev").asText("") : device,
                        medium.path("node-name").asText(), medium.path("file").asText(""),
                        medium.path("drv").asText(""),
                        medium.path("image").path("virtual-size").asLong()));
            }
        }
        disks.sort(Comparator.comparing(Disk::name));
        return disks;
    }
}
