package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import io.pageferry.agent.guest.xml.Xml;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The XML of a domain of libvirt, as {@code virsh dumpxml} prints it. */
final class LibvirtFile {
    /** Devices that every machine has, or that are this host's affair. */
    private static final Set<String> SILENT = Set.of("emulator", "controller", "input", "graphics",
            "video", "console", "serial", "channel", "memballoon", "audio", "rng");

    private LibvirtFile() {
    }

    /** Reads one, which lies in a folder. Its disks are where it says: it is of this host. */
    static MachineDescription read(String text, Path folder) throws IOException {
        Element domain = Xml.parse(text, "domain");
        Draft draft = new Draft(folder);
        Element devices = Xml.child(domain, "devices")
                .orElseThrow(() -> new IOException("it has no <devices>"));
        for (Element disk : Xml.children(devices, "disk")) {
            disk(draft, disk);
        }
        for (Element card : Xml.children(devices, "interface")) {
            draft.card(attribute(card, "model", "type").replaceFirst("^virtio-.*", "virtio"),
                    attribute(card, "mac", "address"));
        }
        for (Node one = devices.getFirstChild(); one != null; one = one.getNextSibling()) {
            if (one instanceof Element device && !SILENT.contains(device.getLocalName())
                    && !device.getLocalName().equals("disk")
                    && !device.getLocalName().equals("interface")) {
                draft.leave("the device <" + device.getLocalName() + ">");
            }
        }
        boolean uefi = Xml.child(domain, "os").map(os -> os.getAttribute("firmware").equals("efi")
                || Xml.child(os, "loader").map(loader -> loader.getAttribute("type")
                        .equals("pflash")).orElse(false)).orElse(false);
        return draft.machine(Xml.text(domain, "name"), memory(domain),
                Draft.count(Xml.text(domain, "vcpu")), uefi);
    }

    private static String attribute(Element in, String child, String name) {
        return Xml.child(in, child).map(one -> one.getAttribute(name)).orElse("");
    }

    private static long memory(Element domain) throws IOException {
        String unit = attribute(domain, "memory", "unit");
        return Draft.bytes(Xml.text(domain, "memory"), switch (unit) {
            case "b", "bytes" -> 1;
            case "KiB", "k", "" -> 1 << 10;
            case "MiB", "M" -> MachineDescription.MIB;
            case "GiB", "G" -> MachineDescription.MIB << 10;
            default -> throw new IOException("it counts memory in '" + unit + "'");
        });
    }

    private static void disk(Draft draft, Element disk) throws IOException {
        String name = attribute(disk, "target", "dev");
        String kind = disk.getAttribute("device");
        if (!kind.isEmpty() && !kind.equals("disk")) {
            draft.leave(name + ", which is a " + kind + " and no disk");
            return;
        }
        String file = attribute(disk, "source", "file");
        String device = attribute(disk, "source", "dev");
        String format = attribute(disk, "driver", "type");
        if (file.isEmpty() && device.isEmpty()) {
            throw new IOException("its disk " + name + " is in no file and on no device of this"
                    + " host");
        }
        Path path = Draft.path(file.isEmpty() ? device : file);
        if (!path.isAbsolute()) {
            throw new IOException("its disk " + name + " has no absolute path");
        }
        String bus = attribute(disk, "target", "bus");
        draft.disk(path, format.isEmpty() ? "raw" : format, switch (bus) {
            case "ide" -> Bus.IDE;
            case "virtio" -> Bus.VIRTIO;
            case "sata" -> Bus.SATA;
            default -> {
                draft.leave("the adapter '" + bus + "' of " + name + ": the disk is on SATA then");
                yield Bus.SATA;
            }
        });
    }

    /** Writes one. */
    static String write(MachineDescription machine) {
        StringBuilder text = new StringBuilder("<domain type='kvm'>\n");
        text.append("  <name>").append(machine.name()).append("</name>\n");
        if (machine.uuid() != null) {
            text.append("  <uuid>").append(machine.uuid()).append("</uuid>\n");
        }
        text.append("  <memory unit='MiB'>").append(machine.memoryMebibytes())
                .append("</memory>\n");
        text.append("  <vcpu>").append(machine.cpus()).append("</vcpu>\n");
        text.append(machine.uefi() ? "  <os firmware='efi'>\n" : "  <os>\n");
        text.append("    <type arch='x86_64' machine='").append(machine.uefi() ? "q35" : "pc")
                .append("'>hvm</type>\n    <boot dev='hd'/>\n  </os>\n");
        text.append("  <features><acpi/><apic/></features>\n  <cpu mode='host-model'/>\n");
        text.append("  <devices>\n");
        disks(text, machine);
        for (Card card : machine.cards()) {
            text.append("    <interface type='network'>\n");
            if (!card.mac().isEmpty()) {
                text.append("      <mac address='").append(card.mac()).append("'/>\n");
            }
            text.append("      <source network='default'/>\n      <model type='")
                    .append(card.model()).append("'/>\n    </interface>\n");
        }
        return text.append("    <console type='pty'/>\n    <graphics type='vnc'/>\n")
                .append("    <video><model type='vga'/></video>\n")
                .append("  </devices>\n</domain>\n").toString();
    }

    private static void disks(StringBuilder text, MachineDescription machine) {
        Map<Bus, String> names = Map.of(Bus.IDE, "hd", Bus.VIRTIO, "vd");
        Map<String, Integer> used = new TreeMap<>();
        Map<Bus, Integer> controllers = new EnumMap<>(Bus.class);
        for (Bus bus : EnumSet.of(Bus.SAS, Bus.PVSCSI)) {
            if (machine.disks().stream().anyMatch(disk -> disk.bus() == bus)) {
                text.append("    <controller type='scsi' index='").append(controllers.size())
                        .append("' model='").append(bus == Bus.SAS ? "lsisas1068" : "vmpvscsi")
                        .append("'/>\n");
                controllers.put(bus, controllers.size());
            }
        }
        int unit = 0;
        for (Disk disk : machine.disks()) {
            Bus bus = QemuLine.busOf(machine, disk);
            String prefix = names.getOrDefault(bus, "sd");
            int number = used.merge(prefix, 1, Integer::sum) - 1;
            text.append("    <disk type='").append(QemuLine.isDevice(disk) ? "block" : "file")
                    .append("' device='disk'>\n      <driver name='qemu' type='")
                    .append(disk.format()).append("'/>\n      <source ")
                    .append(QemuLine.isDevice(disk) ? "dev" : "file").append("='")
                    .append(Xml.escaped(disk.file().toString())).append("'/>\n      <target dev='")
                    .append(prefix).append(letters(number)).append("' bus='")
                    .append(controllers.containsKey(bus) ? "scsi" : bus.label()).append("'/>\n");
            if (controllers.containsKey(bus)) {
                text.append("      <address type='drive' controller='")
                        .append(controllers.get(bus)).append("' bus='0' target='0' unit='")
                        .append(unit++).append("'/>\n");
            }
            text.append("    </disk>\n");
        }
    }

    /** As the kernel counts: a … z, aa … */
    private static String letters(int number) {
        return (number < 26 ? "" : letters(number / 26 - 1)) + (char) ('a' + number % 26);
    }
}
