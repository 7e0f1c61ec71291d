package io.pageferry.agent.demo;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a machine must have to run the Linux test guest.
 *
 * @param qemu qemu-system-x86_64
 * @param busybox a static x86-64 busybox
 * @param kernel a bzImage with a serial console, devtmpfs and tmpfs built in, as distributions
 *     make them
 */
public record DemoTools(Path qemu, Path busybox, Path kernel) {
    /** Names a kernel for the tests. */
    public static final String KERNEL_VARIABLE = "PAGEFERRY_TEST_KERNEL";
    private static final List<String> USUAL = List.of("/usr/local/bin", "/usr/bin", "/bin",
            "/usr/sbin", "/sbin", "/usr/libexec", "/usr/lib/busybox");
    private static final String BOOT = "/boot";

    /** Something is missing; the message has one line for each, with what to install. */
    public static final class MissingException extends IOException {
        private static final long serialVersionUID = 1L;

        MissingException(List<String> lines) {
            super(String.join("\n", lines));
        }
    }

    /**
     * Finds them on PATH and in the usual places.
     *
     * @param kernel the one to use, or null: the newest in /boot that can be read
     */
    public static DemoTools find(Path kernel) throws MissingException {
        List<String> missing = new ArrayList<>();
        Optional<Path> qemu = program("qemu-system-x86_64").filter(Files::isExecutable);
        if (qemu.isEmpty()) {
            missing.add("no qemu-system-x86_64 found: install it (Debian, Ubuntu: apt install"
                    + " qemu-system-x86; Fedora: dnf install qemu-system-x86-core)");
        }
        Optional<Path> busybox = Stream.of("busybox", "busybox-static", "busybox.static")
                .flatMap(name -> program(name).stream()).filter(DemoTools::isStatic).findFirst();
        if (busybox.isEmpty()) {
            missing.add("no static x86-64 busybox found: install it (Debian, Ubuntu: apt install"
                    + " busybox-static; Fedora: dnf install busybox)");
        }
        Optional<Path> image = kernel != null ? Optional.of(kernel).filter(DemoTools::isKernel)
                : newestKernel(Path.of(BOOT));
        if (image.isEmpty()) {
            missing.add(kernel != null
                    ? kernel + " is not an x86 Linux kernel that can be read: name a vmlinuz file"
                    : "no readable x86 Linux kernel in " + BOOT + ": name one with --kernel FILE,"
                            + " e.g. of the package linux-image-cloud-amd64 (Debian) or"
                            + " linux-image-virtual (Ubuntu; readable by root only)");
        }
        if (!missing.isEmpty()) {
            throw new MissingException(missing);
        }
        return new DemoTools(qemu.orElseThrow(), busybox.orElseThrow(), image.orElseThrow());
    }

    /** As {@link #find(Path)}, with the kernel that the environment names, if it does. */
    public static DemoTools findForTests() throws MissingException {
        String kernel = System.getenv(KERNEL_VARIABLE);
        return find(kernel == null || kernel.isEmpty() ? null : Path.of(kernel));
    }

    private static Optional<Path> program(String name) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.concat(Stream.of(path.split(File.pathSeparator)), USUAL.stream())
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private static Optional<Path> newestKernel(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("vmlinuz"))
                    .filter(DemoTools::isKernel)
                    .max(Comparator.comparing(DemoTools::modified));
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    private static FileTime modified(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The boot protocol's mark at 0x202 (Documentation/arch/x86/boot.rst). */
    static boolean isKernel(Path file) {
        ByteBuffer head = head(file, 0x206);
        return head.limit() == 0x206 && StandardCharsets.US_ASCII.decode(head.slice(0x202, 4))
                .toString().equals("HdrS");
    }

    /** True for an ELF program for x86-64 that asks for no interpreter (man 5 elf). */
    static boolean isStatic(Path file) {
        ByteBuffer head = head(file, 4096);
        if (head.limit() < 64 || head.getInt(0) != 0x464c457f || head.getShort(18) != 62) {
            return false;
        }
        long table = head.getLong(32);
        int size = head.getShort(54);
        int count = head.getShort(56);
        for (int i = 0; i < count; i++) {
            long at = table + (long) i * size;
            if (at < 0 || at + 4 > head.limit() || head.getInt((int) at) == 3) {
                return false;
            }
        }
        return true;
    }

    private static ByteBuffer head(Path file, int length) {
        ByteBuffer head = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel channel = FileChannel.open(file)) {
            while (head.hasRemaining() && channel.read(head) >= 0) {
                // Until the head is full or the file ends.
            }
        } catch (IOException e) {
            head.clear();
        }
        return head.flip();
    }
}
