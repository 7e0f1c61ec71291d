package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.xml.Xml;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.w3c.dom.Element;

/** The descriptor of an OVF package (DMTF DSP0243) with one machine. */
final class OvfFile {
    /** Resource types of CIM. */
    private static final String PROCESSOR = "3";
    private static final String MEMORY = "4";
    private static final String IDE = "5";
    private static final String SCSI = "6";
    private static final String CARD = "10";
    private static final String DISK = "17";
    private static final String OTHER_STORAGE = "20";
    private static final List<String> SILENT = List.of("1", "14", "23", "24");

    private final Draft draft;
    private final Map<String, String> files = new HashMap<>();
    private final Map<String, String> disks = new HashMap<>();
    private final Map<String, String> adapters = new HashMap<>();
    private long memory = -1;
    private int cpus = -1;

    private OvfFile(Path folder) {
        this.draft = new Draft(folder);
    }

    /** Reads one, which lies in a folder. */
    static MachineDescription read(String text, Path folder) throws IOException {
        return new OvfFile(folder).machine(Xml.parse(text, "Envelope"));
    }

    private MachineDescription machine(Element envelope) throws IOException {
        List<Element> systems = Xml.children(envelope, "VirtualSystem");
        if (systems.size() != 1) {
            throw new IOException("it has " + systems.size() + " machines of its own, and not one");
        }
        for (Element file : under(envelope, "References", "File")) {
            if (!attribute(file, "compression").isEmpty()
                    || !attribute(file, "chunkSize").isEmpty()) {
                throw new IOException("its files are compressed or cut into chunks: unpack them"
                        + " first");
            }
            files.put(attribute(file, "id"), attribute(file, "href"));
        }
        for (Element disk : under(envelope, "DiskSection", "Disk")) {
            disks.put(attribute(disk, "diskId"), attribute(disk, "fileRef"));
        }
        Element system = systems.getFirst();
        List<Element> items = under(system, "VirtualHardwareSection", "Item");
        for (Element item : items) {
            adapters.put(Xml.text(item, "InstanceID"), adapter(item));
        }
        for (Element item : items) {
            take(item);
        }
        boolean uefi = under(system, "VirtualHardwareSection", "Config").stream()
                .anyMatch(one -> attribute(one, "key").equals("firmware")
                        && attribute(one, "value").equalsIgnoreCase("efi"));
        String name = Xml.text(system, "Name");
        return draft.machine(name.isEmpty() ? attribute(system, "id") : name, memory, cpus, uefi);
    }

    private static List<Element> under(Element in, String section, String name) {
        return Xml.children(in, section).stream()
                .flatMap(one -> Xml.children(one, name).stream()).toList();
    }

    /** Whatever prefix it has. */
    private static String attribute(Element of, String name) {
        for (int i = 0; i < of.getAttributes().getLength(); i++) {
            if (name.equals(of.getAttributes().item(i).getLocalName())) {
                return of.getAttributes().item(i).getNodeValue();
            }
        }
        return "";
    }

    private static String adapter(Element item) {
        String type = Xml.text(item, "ResourceType");
        String sub = Xml.text(item, "ResourceSubType").toLowerCase(Locale.ROOT);
        return switch (type) {
            case IDE -> "ide";
            case SCSI -> sub.isEmpty() ? "lsilogic" : sub;
            case OTHER_STORAGE -> sub.isEmpty() ? "sata" : sub;
            default -> "";
        };
    }

    private void take(Element item) throws IOException {
        String type = Xml.text(item, "ResourceType");
        switch (type) {
            case PROCESSOR -> cpus = Draft.count(Xml.text(item, "VirtualQuantity"));
            case MEMORY -> memory = memory(item);
            case CARD -> draft.card(Xml.text(item, "ResourceSubType"), Xml.text(item, "Address"));
            case DISK -> disk(item);
            case IDE, SCSI, OTHER_STORAGE -> {
                // It is named by its disks.
            }
            default -> {
                if (!SILENT.contains(type)) {
                    draft.leave("the device '" + Xml.text(item, "ElementName") + "'");
                }
            }
        }
    }

    private static long memory(Element item) throws IOException {
        String units = Xml.text(item, "AllocationUnits").replace(" ", "").toLowerCase(Locale.ROOT);
        long unit = switch (units) {
            case "byte*2^20", "megabytes", "mb", "" -> MachineDescription.MIB;
            case "byte*2^30", "gigabytes", "gb" -> MachineDescription.MIB << 10;
            case "byte*2^10", "kilobytes", "kb" -> 1 << 10;
            case "byte", "bytes" -> 1;
            default -> throw new IOException("it counts memory in '" + units + "'");
        };
        return Draft.bytes(Xml.text(item, "VirtualQuantity"), unit);
    }

    private void disk(Element item) throws IOException {
        String name = Xml.text(item, "HostResource").replaceFirst("^(ovf:)?/(disk|file)/", "");
        String file = files.getOrDefault(disks.getOrDefault(name, name), "");
        if (file.isEmpty()) {
            throw new IOException("its disk '" + name + "' has no file");
        }
        if (!file.toLowerCase(Locale.ROOT).endsWith(".vmdk")) {
            throw new IOException("its disk " + file + " is no vmdk");
        }
        draft.vmdk(file, bus(adapters.getOrDefault(Xml.text(item, "Parent"), ""), file));
    }

    private Bus bus(String adapter, String file) {
        return switch (adapter) {
            case "ide" -> Bus.IDE;
            case "sata", "ahci", "vmware.sata.ahci" -> Bus.SATA;
            case "lsilogicsas", "lsisas1068" -> Bus.SAS;
            case "virtualscsi", "pvscsi" -> Bus.PVSCSI;
            default -> {
                draft.leave("the adapter '" + adapter + "' of " + file
                        + ", which QEMU has not: the disk is on SATA then");
                yield Bus.SATA;
            }
        };
    }
}
