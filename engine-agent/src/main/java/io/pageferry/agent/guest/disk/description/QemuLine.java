package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** A machine as a script that starts a QEMU. */
final class QemuLine {
    /** Where Debian's package ovmf has it. */
    private static final String UEFI = "/usr/share/ovmf/OVMF.fd";

    private QemuLine() {
    }

    /** What a disk is attached to there: with UEFI, which has no IDE, that is SATA. */
    static Bus busOf(MachineDescription machine, Disk disk) {
        return machine.uefi() && disk.bus() == Bus.IDE ? Bus.SATA : disk.bus();
    }

    static boolean isDevice(Disk disk) {
        return Files.exists(disk.file()) && !Files.isRegularFile(disk.file());
    }

    static String write(MachineDescription machine) {
        List<String> words = new ArrayList<>(List.of("exec qemu-system-x86_64", "-name "
                + machine.name(), "-machine " + (machine.uefi() ? "q35" : "pc")
                + ",accel=kvm:tcg", "-m " + machine.memoryMebibytes(), "-smp " + machine.cpus(),
                // What was installed for a processor of today does not start on QEMU's usual one.
                "-cpu max"));
        if (machine.uuid() != null) {
            words.add("-uuid " + machine.uuid());
        }
        if (machine.uefi()) {
            words.add("-bios " + UEFI);
        }
        adapter(words, machine, Bus.SATA, "ahci");
        adapter(words, machine, Bus.SAS, "mptsas1068");
        adapter(words, machine, Bus.PVSCSI, "pvscsi");
        int sata = 0;
        int ide = 0;
        for (int i = 0; i < machine.disks().size(); i++) {
            Disk disk = machine.disks().get(i);
            words.add("-drive " + quoted("file=" + disk.file().toString().replace(",", ",,")
                    + ",format=" + disk.format() + ",if=none,id=disk" + i));
            Bus bus = busOf(machine, disk);
            words.add("-device " + switch (bus) {
                case IDE -> "ide-hd,bus=ide." + ide / 2 + ",unit=" + ide++ % 2;
                case SATA -> "ide-hd,bus=sata." + sata++;
                case SAS, PVSCSI -> "scsi-hd,bus=" + bus.label() + ".0";
                case VIRTIO -> "virtio-blk-pci";
            } + ",drive=disk" + i);
        }
        for (Card card : machine.cards()) {
            words.add("-nic user,model=" + (card.model().equals("virtio") ? "virtio-net-pci"
                    : card.model()) + (card.mac().isEmpty() ? "" : ",mac=" + card.mac()));
        }
        if (machine.cards().isEmpty()) {
            words.add("-nic none");
        }
        return "#!/bin/sh\n" + String.join(" \\\n    ", words) + " \\\n    \"$@\"\n";
    }

    private static void adapter(List<String> words, MachineDescription machine, Bus bus,
            String device) {
        if (machine.disks().stream().anyMatch(disk -> busOf(machine, disk) == bus)) {
            words.add("-device " + device + ",id=" + bus.label());
        }
    }

    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
