package io.pageferry.agent.host.disk.image;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The beginnings of images: whoever made one chose them. */
public final class HeaderTargets implements FuzzTargets {
    private static final int QCOW2_BACKING = 8;

    @Override
    public List<FuzzTarget> all() {
        return List.of(new Headers());
    }

    private static final class Headers implements FuzzTarget {
        private final Path file;

        Headers() {
            try {
                file = Files.createTempFile("pageferry-fuzz", "image");
                file.toFile().deleteOnExit();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public String name() {
            return "image-header";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(ImageFormat.class);
        }

        @Override
        public boolean parses(String method) {
            return Set.of("of", "objection", "qcow2", "vmdk", "intAt", "read").contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            return Map.of("qcow2-2", qcow2(2), "qcow2-3", qcow2(3),
                    "vmdk", vmdk("# Disk DescriptorFile\ncreateType=\"monolithicSparse\"\n"),
                    "vhdx", "vhdxfile".getBytes(StandardCharsets.US_ASCII),
                    "vdi", at(68, ByteOrder.LITTLE_ENDIAN).putInt(64, 0xbeda107f).array());
        }

        private static ByteBuffer at(int bytes, ByteOrder order) {
            return ByteBuffer.allocate(bytes).order(order);
        }

        private static byte[] qcow2(int version) {
            return at(104, ByteOrder.BIG_ENDIAN).putInt(0, 0x514649fb).putInt(4, version).array();
        }

        private static byte[] vmdk(String description) {
            byte[] text = description.getBytes(StandardCharsets.US_ASCII);
            ByteBuffer head = at(1024, ByteOrder.LITTLE_ENDIAN).putInt(0, 0x564d444b)
                    .putLong(12, 8).putLong(28, 1).putLong(36, 1);
            return head.put(512, text).array();
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            Files.write(file, bytes);
            Optional<ImageFormat> looks = ImageFormat.of(file);
            for (ImageFormat format : ImageFormat.values()) {
                boolean fits = format.objection(file).isEmpty();
                require(!fits || looks.equals(Optional.of(format)), format + " of " + looks);
            }
            if (looks.isEmpty() || looks.get().objection(file).isPresent()) {
                return false;
            }
            require(looks.get() != ImageFormat.QCOW2
                    || ByteBuffer.wrap(bytes).getLong(QCOW2_BACKING) == 0, "a backing file");
            return true;
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
