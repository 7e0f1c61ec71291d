package io.pageferry.core.incoming.session;

import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;

/**
 * What was promised to a source by a WELCOME.
 *
 * @param offered  its HELLO
 * @param channels data channels granted
 * @param features agreed on
 */
public record Reservation(Message.Hello offered, int channels, long features) {
    /** {@return the layout of the guest's memory} */
    public RegionTable regions() {
        return offered.guest().regions();
    }

    /** {@return whether disks are copied in streams} */
    public boolean hasStorage() {
        return (features & Message.FEATURE_STORAGE) != 0;
    }
}
