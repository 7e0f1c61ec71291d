package io.pageferry.agent.host.linux.block;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A file that is used as a disk (man 4 loop).
 *
 * @param number of the loop device
 * @param below  the device that its file is stored on, or is
 */
public record LoopDevice(DeviceNumber number, DeviceNumber below) {
    /** {@code linux/loop.h}; struct loop_info64 begins with lo_device, lo_inode, lo_rdevice. */
    private static final long LOOP_GET_STATUS64 = 0x4c05;
    private static final int INFO_BYTES = 232;
    private static final int LO_RDEVICE = 16;

    /** Asks the device, which knows its file also after that was deleted; empty: it has none. */
    static Optional<LoopDevice> of(String name, DeviceNumber number) throws LinuxException {
        int fd = Native.open("/dev/" + name, Native.O_RDONLY);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(INFO_BYTES, Long.BYTES);
            int result = Native.ioctl(fd, LOOP_GET_STATUS64, info);
            if (result == -Native.ENXIO) {
                return Optional.empty();
            }
            Native.check(result, "LOOP_GET_STATUS64", name);
            long itself = info.get(JAVA_LONG, LO_RDEVICE);
            return Optional.of(new LoopDevice(number, DeviceNumber.of(
                    itself != 0 ? itself : info.get(JAVA_LONG, 0))));
        } finally {
            Native.close(fd);
        }
    }
}
