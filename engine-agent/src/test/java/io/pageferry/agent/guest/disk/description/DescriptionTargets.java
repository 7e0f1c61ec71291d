package io.pageferry.agent.guest.disk.description;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Descriptions of machines, which come with the disks of somebody else. */
public final class DescriptionTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new Descriptions("description-vmx", VmxFile.class, VmxFile::read,
                Map.of("vmx", Samples.VMX, "flat", Samples.VMX.replace("data.vmdk", "flat.vmdk")
                        .replace("pvscsi", "lsisas1068").replace("ide0", "sata0"))),
                new Descriptions("description-ovf", OvfFile.class, OvfFile::read,
                        Map.of("ovf", Samples.OVF,
                                "sas", ovf("6", "lsilogicsas", "GigaBytes", 1),
                                "ide", ovf("5", "", "KB", 65536),
                                "sata", ovf("20", "AHCI", "bytes", 1 << 26),
                                "pvscsi", ovf("6", "VirtualSCSI", "MB", 64)
                                        .replace("ResourceType>10<", "ResourceType>15<"))),
                new Descriptions("description-xml", LibvirtFile.class, LibvirtFile::read,
                        Map.of("xml", Samples.XML, "block", Samples.XML.replace("file='",
                                "dev='").replace("virtio", "ide").replace("'KiB'>1048576",
                                "'GiB'>1"),
                                "sata", Samples.XML.replace("virtio", "sata").replace(
                                        "'KiB'>1048576", "'MiB'>64"),
                                "scsi", Samples.XML.replace("virtio", "scsi").replace("KiB",
                                        "bytes").replace("type='qcow2'", ""))));
    }

    private static String ovf(String type, String adapter, String units, int quantity) {
        return Samples.OVF.replace("<rasd:ResourceType>6<", "<rasd:ResourceType>" + type + "<")
                .replace("lsilogic", adapter).replace("byte * 2^20", units)
                .replace(">512<", ">" + quantity + "<");
    }

    private interface Reader {
        MachineDescription read(String text, Path folder) throws IOException;
    }

    private record Descriptions(String name, Class<?> type, Reader reader,
            Map<String, String> texts, Path folder) implements FuzzTarget {
        Descriptions(String name, Class<?> type, Reader reader, Map<String, String> texts) {
            this(name, type, reader, texts, made());
        }

        /** With the disks, of which one has its data in another file. */
        private static Path made() {
            try {
                Path folder = Files.createTempDirectory("pageferry-fuzz");
                Path flat = Files.writeString(folder.resolve("flat.vmdk"), "# Disk DescriptorFile\n"
                        + "parentCID=ffffffff\nRW 8 FLAT \"data\" 0\n");
                folder.toFile().deleteOnExit();
                flat.toFile().deleteOnExit();
                for (String name : List.of("data", "web.vmdk", "data.vmdk", "db-disk1.vmdk")) {
                    Files.createFile(folder.resolve(name)).toFile().deleteOnExit();
                }
                return folder;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(type);
        }

        @Override
        public boolean parses(String method) {
            return Set.of("read", "machine", "disk", "bus", "memory", "take", "adapter", "under",
                    "attribute", "value", "isTrue").contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            return texts.entrySet().stream().collect(Collectors.toMap(
                    Map.Entry::getKey, one -> one.getValue().getBytes(StandardCharsets.UTF_8)));
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            MachineDescription machine;
            try {
                machine = reader.read(new String(bytes, StandardCharsets.UTF_8), folder);
            } catch (IOException e) {
                require(e.getMessage() != null && !e.getMessage().isEmpty(), "no words");
                return false;
            }
            require(type == LibvirtFile.class || machine.disks().stream()
                    .allMatch(disk -> disk.file().getParent().equals(folder)), "a file elsewhere");
            require(machine.name().matches("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"), machine.name());
            if (!machine.missing().isEmpty()) {
                return false;
            }
            MachineDescription back = LibvirtFile.read(LibvirtFile.write(machine), folder);
            require(back.name().equals(machine.name()) && back.cpus() == machine.cpus()
                    && back.memoryMebibytes() == machine.memoryMebibytes()
                    && back.uefi() == machine.uefi()
                    && back.disks().stream().map(MachineDescription.Disk::file).toList().equals(
                    machine.disks().stream().map(MachineDescription.Disk::file).toList()),
                    "written as something else");
            return true;
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
