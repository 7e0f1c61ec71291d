package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.image.ImageFormat;
import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.BootFiles;
import io.pageferry.agent.host.machine.Fstab;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Adapts the system on a cold disk to other hardware. All of it happens on an overlay; only when
 * all has succeeded it is written into the disk. One thread; cancelled by {@link #cancel}.
 */
public final class DiskAdapter {
    private static final String RAW = "raw";
    private static final Path SCRATCH = Path.of("/var/tmp");
    private static final long NANOS_OF_A_MILLI = 1_000_000;

    private final ProgramRunner runner;
    private final Options options;
    private String growth = "";
    private List<Edits.Edit> edits = List.of();
    private List<String> warnings = List.of();
    private String hostname = "";
    private long initramfsNanos;
    private long commitNanos;
    private boolean commits;

    /**
     * What is wanted.
     *
     * @param disk     a file or a block device
     * @param format   of a file; empty for raw
     * @param system   what becomes of the system
     * @param grow     whether its last file system is made as large as the disk is
     * @param virtV2v  whether virt-v2v does it
     */
    public record Options(Path disk, Optional<ImageFormat> format, Adaptation.Options system,
            boolean grow, boolean virtV2v) { }

    /**
     * What was done.
     *
     * @param edits           of files
     * @param warnings        what somebody should look at
     * @param hostname        of a clone, or empty
     * @param growth          what was grown, for people, or empty
     * @param totalMillis     from beginning to end
     * @param initramfsMillis the system's own programs
     * @param commitMillis    writing it into the disk
     */
    public record Result(List<Edits.Edit> edits, List<String> warnings, String hostname,
            String growth, long totalMillis, long initramfsMillis, long commitMillis) { }

    /**
     * Makes an adapter.
     *
     * @param runner  runs programs of this host
     * @param options what is wanted
     */
    public DiskAdapter(ProgramRunner runner, Options options) {
        this.runner = runner;
        this.options = options;
    }

    /**
     * Has it end soon and leave the disk as it is, unless that is being written. Any thread.
     *
     * @return how long it may take to its end; empty where it was cancelled, and is soon there
     */
    public synchronized Optional<Duration> cancel() {
        if (commits) {
            return Optional.of(OverlayDisk.COPY);
        }
        runner.cancel();
        return Optional.empty();
    }

    /**
     * Adapts the disk, or leaves it as it is.
     *
     * @return what was done
     * @throws CommitException where it could not be written into the disk
     * @throws IOException     where it cannot be done; the disk is as it was
     */
    public Result run() throws IOException {
        long began = System.nanoTime();
        Path disk = options.disk().toAbsolutePath();
        Optional<Path> program = options.virtV2v() ? Optional.of(VirtV2v.find())
                : Optional.empty();
        requireFormat(disk);
        try (DiskOpening.Claim claim = DiskOpening.claim(disk)) {
            Path folder = Files.createTempDirectory(claim.name().isDevice() ? SCRATCH
                    : disk.getParent(), ".pageferry-adapt-");
            boolean keep = false;
            try {
                adapt(disk, folder, program);
            } catch (CommitException e) {
                keep = true;
                throw e;
            } finally {
                if (!keep) {
                    delete(folder);
                }
            }
        }
        return new Result(edits, warnings, hostname, growth,
                (System.nanoTime() - began) / NANOS_OF_A_MILLI,
                initramfsNanos / NANOS_OF_A_MILLI, commitNanos / NANOS_OF_A_MILLI);
    }

    /** As with every disk: what its content looks like decides nothing. */
    private void requireFormat(Path disk) throws IOException {
        if (options.format().isPresent()) {
            Optional<String> objection = options.format().get().objection(disk);
            if (objection.isPresent()) {
                throw Refusal.of(disk + " " + objection.get(), "qemu-img convert -O qcow2 FILE NEW"
                        + " makes one of it that can be adapted");
            }
        } else if (Files.isRegularFile(disk) && ImageFormat.of(disk).isPresent()) {
            String format = ImageFormat.of(disk).get().label();
            throw Refusal.of(disk + " looks like a " + format + " image", "say which format it has:"
                    + " " + disk + "?format=" + format + ", or ?format=raw");
        }
    }

    private void adapt(Path disk, Path folder, Optional<Path> program) throws IOException {
        OverlayDisk overlay;
        try (PrivateSpace space = PrivateSpace.open(runner)) {
            overlay = OverlayDisk.over(runner, space, folder, disk,
                    options.format().map(ImageFormat::label).orElse(RAW));
            if (program.isPresent()) {
                VirtV2v.run(runner, program.get(), overlay.file());
            } else {
                overlay.show();
                adapt(space, overlay, folder);
                overlay.hide();
            }
        }
        commit(overlay, disk);
    }

    private void adapt(PrivateSpace space, OverlayDisk overlay, Path folder) throws IOException {
        Optional<Growth> grown = Optional.empty();
        List<Content> contents;
        try (FileChannel raw = overlay.open()) {
            PartitionTable table = PartitionTable.read(raw);
            contents = Content.of(space, overlay.disk(), table.partitions());
            if (options.grow()) {
                grown = Optional.of(Growth.place(space, table, contents));
                contents = grown.get().contents();
                growth = grown.get().words();
            }
        }
        AttachedDisk attached = AttachedDisk.attach(space, overlay.disk(),
                folder.resolve("held"));
        Path root = Files.createDirectory(folder.resolve("root"));
        if (grown.isPresent()) {
            grown.get().grow(attached, root);
        }
        MountedSystem system = MountedSystem.mount(space, attached, contents, root);
        adapt(system, contents);
        system.unmount();
        attached.detach();
    }

    private void adapt(MountedSystem system, List<Content> contents) throws IOException {
        SystemTree tree = system.tree();
        List<String> names = new ArrayList<>();
        Fstab.entries(tree.read(Fstab.PATH).orElse("")).stream()
                .filter(entry -> entry.point().equals("/")).map(Fstab.Entry::device)
                .forEach(names::add);
        names.addAll(BootFiles.devices(new Edits(tree)));
        Fstab.entries(tree.read(Fstab.PATH).orElse("")).stream()
                .filter(entry -> !entry.isOptional()).map(Fstab.Entry::device)
                .forEach(names::add);
        Adaptation adaptation = Adaptation.plan(tree,
                new DiskDevices(contents, system.root(), names), options.system());
        hostname = adaptation.hostname();
        relabel(adaptation.changes(), tree);
        edits = adaptation.edits();
        long began = System.nanoTime();
        adaptation.apply(system);
        initramfsNanos = System.nanoTime() - began;
        warnings = adaptation.warnings();
    }

    /** Files that are made here have no labels of SELinux: its next boot gives them some. */
    private static void relabel(Edits edits, SystemTree tree) throws IOException {
        if (tree.read("/etc/selinux/config").orElse("").matches(
                "(?s).*(^|\\n)\\s*SELINUX\\s*=\\s*(enforcing|permissive).*")) {
            edits.write("/.autorelabel", "\n", "SELinux labels what is new, at the next boot");
        }
    }

    /** From here on it is too late to cancel: half of it would be worse than all. */
    private void commit(OverlayDisk overlay, Path disk) throws IOException {
        synchronized (this) {
            runner.requireNotCancelled();
            commits = true;
        }
        long began = System.nanoTime();
        try {
            overlay.commit(new ProgramRunner());
        } catch (IOException e) {
            throw new CommitException(disk + " could not be written (" + e.getMessage()
                    + "): part of it is; once that is mended, finish it with qemu-img commit -f"
                    + " qcow2 " + overlay.file(), e);
        }
        commitNanos = System.nanoTime() - began;
    }

    private static void delete(Path folder) {
        for (String name : List.of("overlay.qcow2", "disk", "words", "held", "root", "")) {
            try {
                Files.deleteIfExists(folder.resolve(name));
            } catch (IOException e) {
                // What stays is a folder that nobody else can enter.
                continue;
            }
        }
    }
}
