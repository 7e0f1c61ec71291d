package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Files by which this process itself would hang where their file system is frozen. */
final class OwnFiles {
    private static final Path SELF = Path.of("/proc/self");
    private static final String FLAGS = "flags:";
    private static final int ACCESS_MODE = 3;
    private static final int FIELDS = 6;

    private OwnFiles() {
    }

    /**
     * Finds what this process has open for writing, or mapped so that it writes to the file.
     *
     * @param devices of file systems
     * @return their names
     * @throws IOException when {@code /proc} cannot be read
     */
    static List<String> writtenOn(Set<DeviceNumber> devices) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> open = Files.list(SELF.resolve("fd"))) {
            for (Path fd : open.toList()) {
                if (isWrittenOn(fd, devices)) {
                    found.add(Files.readSymbolicLink(fd).toString());
                }
            }
        }
        String maps = Files.readString(SELF.resolve("maps"), StandardCharsets.ISO_8859_1);
        for (String line : maps.lines().toList()) {
            String[] parts = line.split("\\s+", FIELDS);
            if (parts[1].charAt(1) == 'w' && parts[1].charAt(3) == 's') {
                DeviceNumber device = ProcText.parse("maps", parts[3], OwnFiles::hex);
                if (devices.contains(device)) {
                    found.add(parts[FIELDS - 1]);
                }
            }
        }
        return found;
    }

    private static DeviceNumber hex(String text) {
        String[] parts = text.split(":");
        return new DeviceNumber(Integer.parseInt(parts[0], 16), Integer.parseInt(parts[1], 16));
    }

    private static boolean isWrittenOn(Path fd, Set<DeviceNumber> devices) throws IOException {
        try {
            String info = Files.readString(SELF.resolve("fdinfo").resolve(fd.getFileName()));
            int flags = ProcText.parse("fdinfo", info, text -> text.lines()
                    .filter(line -> line.startsWith(FLAGS))
                    .mapToInt(line -> Integer.parseInt(
                            line.substring(FLAGS.length()).strip(), 8))
                    .findFirst().orElseThrow(IllegalArgumentException::new));
            return (flags & ACCESS_MODE) != 0 && Files.isRegularFile(fd)
                    && devices.contains(DeviceNumber.ofStorage(fd));
        } catch (NoSuchFileException e) {
            return false; // closed meanwhile, as the listing's own
        }
    }
}
