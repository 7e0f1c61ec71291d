package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** VMware's description of a machine: lines of {@code key = "value"}. */
final class VmxFile {
    private static final Pattern LINE =
            Pattern.compile("\\s*([A-Za-z0-9_.:]+)\\s*=\\s*\"([^\"]*)\"\\s*");
    private static final Pattern DEVICE =
            Pattern.compile("((?:ide|sata|scsi|nvme)(\\d+)):(\\d+)\\.filename");
    private static final Pattern OTHER = Pattern.compile("((?:pcipassthru|serial|parallel|floppy|"
            + "sound|usb|usb_xhci|vtpm|svga3d)\\d*)\\.present");
    private static final Pattern CARD = Pattern.compile("(ethernet\\d+)\\.present");
    private static final int MOST_OF_IDE = 4;
    private static final int MOST_OF_A_BUS = 7;

    private final Map<String, String> keys = new TreeMap<>();
    private final Draft draft;

    private VmxFile(Path folder) {
        this.draft = new Draft(folder);
    }

    /** Reads one, which lies in a folder. */
    static MachineDescription read(String text, Path folder) throws IOException {
        VmxFile file = new VmxFile(folder);
        for (String line : text.lines().toList()) {
            Matcher pair = LINE.matcher(line);
            if (pair.matches()) {
                file.keys.put(pair.group(1).toLowerCase(Locale.ROOT), pair.group(2));
            } else if (!line.isBlank() && !line.startsWith("#") && !line.startsWith(".")) {
                throw new IOException("a line of it is no key = \"value\"");
            }
        }
        return file.machine();
    }

    private String value(String key, String otherwise) {
        return keys.getOrDefault(key, otherwise);
    }

    private boolean isTrue(String key) {
        return value(key, "").equalsIgnoreCase("true");
    }

    private MachineDescription machine() throws IOException {
        if (keys.keySet().stream().anyMatch(key -> key.startsWith("encryption."))) {
            throw new IOException("it is encrypted: decrypt the machine where it runs first");
        }
        for (String key : keys.keySet()) {
            Matcher device = DEVICE.matcher(key);
            Matcher other = OTHER.matcher(key);
            Matcher card = CARD.matcher(key);
            if (device.matches()) {
                disk(device.group(1), key.substring(0, key.lastIndexOf('.')));
            } else if (other.matches() && isTrue(key)) {
                draft.leave("the device " + other.group(1));
            } else if (card.matches() && isTrue(key)) {
                String name = card.group(1);
                draft.card(value(name + ".virtualdev", "e1000"), value(name + ".address",
                        value(name + ".generatedaddress", "")));
            }
        }
        return draft.machine(value("displayname", "machine"),
                Draft.bytes(value("memsize", ""), MachineDescription.MIB),
                Draft.count(value("numvcpus", "1")),
                value("firmware", "bios").equalsIgnoreCase("efi"));
    }

    private void disk(String controller, String device) throws IOException {
        String type = value(device + ".devicetype", "disk").toLowerCase(Locale.ROOT);
        if (!isTrue(device + ".present")) {
            return;
        }
        if (!type.equals("disk") && !type.endsWith("harddisk")) {
            draft.leave(device + ", which is a " + type + " and no disk");
            return;
        }
        draft.vmdk(value(device + ".filename", ""), bus(controller, device));
    }

    private Bus bus(String controller, String device) {
        String adapter = controller.startsWith("scsi")
                ? value(controller + ".virtualdev", "lsilogic").toLowerCase(Locale.ROOT)
                : controller.replaceAll("\\d", "");
        return switch (adapter) {
            case "ide" -> Bus.IDE;
            case "sata" -> Bus.SATA;
            case "lsisas1068" -> Bus.SAS;
            case "pvscsi" -> Bus.PVSCSI;
            default -> {
                draft.leave("the adapter " + adapter + " of " + device
                        + ", which QEMU has not: the disk is on SATA then");
                yield Bus.SATA;
            }
        };
    }

    /** Writes one for disks beside it. */
    static String write(MachineDescription machine) throws IOException {
        StringBuilder text = new StringBuilder(".encoding = \"UTF-8\"\nconfig.version = \"8\"\n"
                + "virtualHW.version = \"14\"\nguestOS = \"other-64\"\n");
        put(text, "displayName", machine.name());
        put(text, "memsize", Long.toString(machine.memoryMebibytes()));
        put(text, "numvcpus", Integer.toString(machine.cpus()));
        put(text, "firmware", machine.uefi() ? "efi" : "bios");
        put(text, "pciBridge0.present", "TRUE");
        put(text, "pciBridge4.present", "TRUE");
        put(text, "pciBridge4.virtualDev", "pcieRootPort");
        put(text, "pciBridge4.functions", "8");
        Map<String, Integer> used = new TreeMap<>();
        for (Disk disk : machine.disks()) {
            attach(text, disk, used);
        }
        for (int i = 0; i < machine.cards().size(); i++) {
            card(text, "ethernet" + i, machine.cards().get(i));
        }
        return text.toString();
    }

    private static void attach(StringBuilder text, Disk disk, Map<String, Integer> used)
            throws IOException {
        String bus = switch (disk.bus()) {
            case IDE -> "ide";
            case SAS, PVSCSI -> "scsi";
            case SATA, VIRTIO -> "sata";
        };
        String adapter = disk.bus() == Bus.SAS ? "lsisas1068"
                : disk.bus() == Bus.PVSCSI ? "pvscsi" : "";
        int number = used.merge(bus + adapter, 1, Integer::sum) - 1;
        if (number == MOST_OF_A_BUS || bus.equals("ide") && number == MOST_OF_IDE) {
            throw new IOException("it has more than " + number + " disks on " + bus);
        }
        // Of SCSI a controller for each adapter; of IDE two disks are on one.
        String controller = bus + (bus.equals("ide") ? number / 2
                : adapter.equals("pvscsi") ? 1 : 0);
        String device = controller + ":" + (bus.equals("ide") ? number % 2 : number);
        if (!bus.equals("ide") && number == 0) {
            put(text, controller + ".present", "TRUE");
            if (!adapter.isEmpty()) {
                put(text, controller + ".virtualDev", adapter);
            }
        }
        put(text, device + ".present", "TRUE");
        put(text, device + ".fileName", disk.file().getFileName().toString());
    }

    private static void card(StringBuilder text, String name, Card card) {
        put(text, name + ".present", "TRUE");
        put(text, name + ".connectionType", "nat");
        put(text, name + ".virtualDev", card.model().equals("virtio") ? "e1000" : card.model());
        if (!card.mac().isEmpty()) {
            put(text, name + ".addressType", "static");
            put(text, name + ".address", card.mac());
            // VMware takes addresses of its own range alone, unless it is told so.
            put(text, name + ".checkMACAddress", "false");
        }
    }

    private static void put(StringBuilder text, String key, String value) {
        text.append(key).append(" = \"").append(value).append("\"\n");
    }
}
