package io.pageferry.agent.host.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which boot loader of UEFI is copied to where firmware looks that has no entry for the disk. */
class FallbackLoaderTest {
    @TempDir
    private Path folder;

    /**
     * Files below the EFI folder, and what is written: a file and what it is a copy of, parted by
     * commas. A file holds its own path.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', emptyValue = "", nullValues = "none", textBlock = """
            debian/shimx64.efi,debian/grubx64.efi,debian/mmx64.efi | \
            BOOT/BOOTX64.EFI=debian/shimx64.efi,BOOT/grubx64.efi=debian/grubx64.efi,\
            BOOT/mmx64.efi=debian/mmx64.efi
            debian/shimx64.efi,debian/grubx64.efi | \
            BOOT/BOOTX64.EFI=debian/shimx64.efi,BOOT/grubx64.efi=debian/grubx64.efi
            debian/shimx64.efi,debian/fbx64.efi     | ''
            debian/grubx64.efi                      | BOOT/BOOTX64.EFI=debian/grubx64.efi
            arch/grubx64.efi,debian/grubx64.efi     | BOOT/BOOTX64.EFI=debian/grubx64.efi
            Microsoft/Boot/bootmgfw.efi,arch/GRUBX64.EFI | BOOT/BOOTX64.EFI=arch/GRUBX64.EFI
            systemd/systemd-bootx64.efi,Linux/a.efi | BOOT/BOOTX64.EFI=systemd/systemd-bootx64.efi
            debian/grubaa64.efi                     | BOOT/BOOTAA64.EFI=debian/grubaa64.efi
            debian/grubx64.efi,Boot/bootx64.efi     | ''
            debian/grubx64.efi,Boot/other.efi       | Boot/BOOTX64.EFI=debian/grubx64.efi
            """)
    void itIsCopied(String files, String copies) throws IOException {
        for (String point : List.of("/boot/efi", "/efi")) {
            Path root = folder.resolve(point.substring(1).replace('/', '-'));
            Path efi = root.resolve(point.substring(1)).resolve("EFI");
            for (String file : files.split(",")) {
                Files.createDirectories(efi.resolve(file).getParent());
                Files.writeString(efi.resolve(file), file);
            }
            Files.createDirectories(root.resolve("etc"));
            Files.writeString(root.resolve("etc/os-release"), "NAME=x\nID=debian\n");
            Edits edits = new Edits(new SystemTree(root));

            FallbackLoader.adapt(edits);

            String begin = point + "/EFI/";
            assertEquals(Arrays.stream(copies.split(",")).filter(one -> !one.isEmpty()).sorted()
                    .toList(), edits.all().stream().map(one -> one.path()
                    .substring(begin.length()) + "=" + one.after()).sorted()
                    .collect(Collectors.toList()));
            assertEquals(files.contains("fbx64"), edits.warnings().stream()
                    .anyMatch(one -> one.contains("no boot loader")), edits.warnings().toString());
            assertTrue(edits.warnings().stream().anyMatch(one -> one.contains("OVMF")));
        }
    }
}
