package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The first root of a boot, made by the system's own initramfs-tools or dracut: with the drivers of
 * both worlds, as far as its kernels have them.
 */
final class Initramfs {
    private static final String HOOK = "/etc/initramfs-tools/hooks/pageferry";
    private static final String DRACUT = "/etc/dracut.conf.d/50-pageferry.conf";
    private static final String WHAT = "drivers of virtual and physical machines";

    private final Edits edits;
    private final Kernels kernels;
    private final boolean debian;
    private boolean stale;

    private Initramfs(Edits edits, boolean debian) {
        this.edits = edits;
        this.kernels = new Kernels(edits.tree());
        this.debian = debian;
    }

    /** Finds out what makes it there. */
    static Initramfs of(Edits edits) throws IOException {
        boolean debian = edits.tree().hasProgram("update-initramfs");
        if (!debian && !edits.tree().hasProgram("dracut")) {
            throw Refusal.of("there is neither update-initramfs nor dracut in it", "install"
                    + " initramfs-tools or dracut there first, or try --adapter virt-v2v");
        }
        edits.tree().requireProgram(debian ? "lsinitramfs" : "lsinitrd");
        return new Initramfs(edits, debian);
    }

    /** Has it made with all drivers from now on. */
    void adapt(World world) throws IOException {
        kernels.require(world);
        Set<String> known = kernels.modules(kernels.releases().getFirst());
        for (String release : kernels.releases()) {
            known.addAll(kernels.modules(release));
        }
        String drivers = World.DRIVERS.stream().filter(known::contains)
                .collect(Collectors.joining(" "));
        if (debian) {
            edits.writeProgram(HOOK, """
                    #!/bin/sh
                    # By pageferry: disks and network cards of virtual and of physical machines.
                    [ "$1" = prereqs ] && exit 0
                    . /usr/share/initramfs-tools/hook-functions
                    manual_add_modules %s
                    """.formatted(drivers), WHAT);
        } else {
            edits.write(DRACUT, """
                    # By pageferry: disks and network cards of virtual and of physical machines.
                    add_drivers+=" %s "
                    """.formatted(drivers), WHAT);
        }
    }

    /** Has it made anew although its drivers are right: something else in it changed. */
    void outdated() {
        stale = true;
    }

    /** Makes it anew for each kernel where one lacks a driver. Returns whether it did. */
    boolean build(World world, Programs programs) throws IOException {
        if (!stale && lacking(world, programs).isEmpty()) {
            return false;
        }
        make(programs);
        List<String> lacking = lacking(world, programs);
        if (!lacking.isEmpty()) {
            throw Refusal.of("the initramfs was made anew and still lacks "
                    + String.join(", ", lacking), "see how it is made there ("
                    + (debian ? "/etc/initramfs-tools" : "/etc/dracut.conf") + ")");
        }
        return true;
    }

    /** Makes it for each kernel. */
    void make(Programs programs) throws IOException {
        if (debian) {
            programs.run(List.of("update-initramfs", "-u", "-k", "all"));
        } else {
            for (String release : kernels.releases()) {
                programs.run(List.of("dracut", "--force", "--kver", release));
            }
        }
    }

    private List<String> lacking(World world, Programs programs) throws IOException {
        List<String> lacking = new ArrayList<>();
        for (String release : kernels.releases()) {
            String file = file(release);
            if (!edits.tree().exists(file)) {
                lacking.add(file);
                continue;
            }
            Set<String> inside = programs.run(List.of(debian ? "lsinitramfs" : "lsinitrd", file))
                    .lines().map(line -> line.substring(line.lastIndexOf(' ') + 1))
                    .filter(path -> path.contains(".ko")).map(Kernels::name)
                    .collect(Collectors.toSet());
            Set<String> modules = kernels.modules(release);
            Set<String> builtin = kernels.builtin(release);
            world.needed().stream().filter(one -> modules.contains(one) && !builtin.contains(one)
                            && !inside.contains(one))
                    .forEach(one -> lacking.add(one + " in " + file));
        }
        return lacking;
    }

    private String file(String release) {
        return debian ? "/boot/initrd.img-" + release : "/boot/initramfs-" + release + ".img";
    }
}
