package io.pageferry.agent.host.machine;

import java.io.IOException;
import java.util.Map;
import java.util.Set;

/** Which file system is meant by a name of a device that depends on the hardware. */
public interface Devices {
    /**
     * Finds the file system, or swap, on a device.
     *
     * @param node as {@code /dev/sda3}
     * @return its UUID
     * @throws IOException where it is not known, with what to do
     */
    String uuid(String node) throws IOException;

    /** {@return the UUIDs of all file systems and swap that are there} */
    Set<String> uuids();

    /** {@return the MACs of the cards that are there, by interface; none of a disk that is off} */
    Map<String, String> cards();

    /** {@return the UUID of the root file system, or an empty string where it is not known} */
    String root();
}
