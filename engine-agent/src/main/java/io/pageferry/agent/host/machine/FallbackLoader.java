package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The boot loader that UEFI firmware starts from a disk it does not know (UEFI specification,
 * 3.5.1.1): {@code EFI/BOOT/BOOTX64.EFI}. The entry that an installer made lies in the firmware of
 * the machine that it ran on, and does not move with the disk.
 */
final class FallbackLoader {
    /** Where distributions mount the EFI system partition. */
    private static final List<String> POINTS = List.of("/boot/efi", "/efi", "/boot");
    /** The architectures, as in the names of files. */
    private static final List<String> ARCHITECTURES = List.of("x64", "aa64");
    private static final String WHAT = "the boot loader that other firmware looks for";
    private static final Pattern ID = Pattern.compile("(?m)^ID=\"?([\\w.-]+)\"?$");

    private final Edits edits;
    private final SystemTree tree;
    private final String efi;

    private FallbackLoader(Edits edits, String efi) {
        this.edits = edits;
        this.tree = edits.tree();
        this.efi = efi;
    }

    /**
     * Has the firmware of another machine find the system's boot loader, where it has one of UEFI.
     *
     * @param edits of the system, its EFI system partition among its files
     * @throws IOException when something cannot be read
     */
    static void adapt(Edits edits) throws IOException {
        for (String point : POINTS) {
            Optional<String> efi = named(edits.tree(), point, "EFI");
            if (efi.isPresent()) {
                new FallbackLoader(edits, efi.get()).adapt();
                return;
            }
        }
    }

    private void adapt() throws IOException {
        boolean found = false;
        for (String architecture : ARCHITECTURES) {
            String fallback = "BOOT" + architecture.toUpperCase(Locale.ROOT) + ".EFI";
            Optional<String> folder = named(tree, efi, "BOOT");
            if (folder.isPresent() && named(tree, folder.get(), fallback).isPresent()) {
                found = true;
                continue;
            }
            found |= copy(architecture, folder.orElse(efi + "/BOOT"), fallback);
        }
        if (!found) {
            edits.warn(efi + " has no boot loader that is known here: firmware that has no entry"
                    + " for this disk finds none (grub-install --removable makes one)");
        }
        if (!tree.exists("/boot/grub/i386-pc") && !tree.exists("/boot/grub2/i386-pc")) {
            edits.warn("it starts by UEFI: so must the machine that gets the disk (of QEMU: OVMF)");
        }
    }

    /** A shim wants the loader that it checks, and the manager of its keys, beside it. */
    private boolean copy(String architecture, String folder, String fallback) throws IOException {
        String grub = "grub" + architecture + ".efi";
        String manager = "mm" + architecture + ".efi";
        for (String vendor : vendors()) {
            Optional<String> next = named(tree, vendor, grub);
            Optional<String> shim = next.isEmpty() ? next
                    : named(tree, vendor, "shim" + architecture + ".efi");
            Optional<String> first = shim.or(() -> next);
            if (first.isEmpty()) {
                first = named(tree, vendor, "systemd-boot" + architecture + ".efi");
            }
            if (first.isPresent()) {
                put(first.get(), folder + "/" + fallback);
                if (shim.isPresent()) {
                    put(next.get(), folder + "/" + grub);
                    Optional<String> keys = named(tree, vendor, manager);
                    if (keys.isPresent()) {
                        put(keys.get(), folder + "/" + manager);
                    }
                }
                return true;
            }
        }
        return false;
    }

    private void put(String from, String to) throws IOException {
        edits.write(to, tree.read(from).orElseThrow(), WHAT + ": a copy of " + from);
    }

    /** Folders of boot loaders: that of the system that is adapted before those of others. */
    private List<String> vendors() throws IOException {
        Matcher id = ID.matcher(tree.read("/etc/os-release").orElse(""));
        String own = id.find() ? id.group(1) : "";
        return tree.list(efi).stream().filter(one -> !one.equalsIgnoreCase("BOOT"))
                .sorted((one, other) -> Boolean.compare(other.equalsIgnoreCase(own),
                        one.equalsIgnoreCase(own))).map(one -> efi + "/" + one).toList();
    }

    /** Names of FAT have letters of either case. */
    private static Optional<String> named(SystemTree tree, String folder, String name)
            throws IOException {
        return tree.list(folder).stream().filter(name::equalsIgnoreCase).findFirst()
                .map(one -> folder + "/" + one);
    }
}
