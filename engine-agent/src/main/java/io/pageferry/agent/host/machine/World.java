package io.pageferry.agent.host.machine;

import io.pageferry.core.words.Labelled;
import java.util.List;

/** The hardware that a system is to start on. What it can start on already stays. */
public enum World implements Labelled {
    /** A virtual machine of KVM, or of QEMU without it. */
    KVM(List.of("virtio_pci", "virtio_blk", "virtio_scsi", "virtio_net"), "console=tty0",
            "console=ttyS0,115200"),
    /** A machine with disks of its own. */
    PHYSICAL(List.of("ahci", "nvme"), "console=ttyS0,115200", "console=tty0");

    /**
     * Drivers that are put into an initramfs where the kernel has them, for both worlds: disks,
     * what disks are attached to, and network cards.
     */
    static final List<String> DRIVERS = List.of("virtio_pci", "virtio_blk", "virtio_scsi",
            "virtio_net", "virtio_console", "ahci", "ata_piix", "ata_generic", "sd_mod", "sr_mod",
            "nvme", "xhci_pci", "ehci_pci", "uas", "usb_storage", "mptspi", "mptsas", "mpt3sas",
            "megaraid_sas", "hpsa", "aacraid", "smartpqi", "vmw_pvscsi", "vmxnet3", "hv_storvsc",
            "hv_netvsc", "e1000", "e1000e", "igb", "igc", "ixgbe", "i40e", "r8169", "tg3",
            "bnxt_en");

    private final List<String> needed;
    private final String firstConsole;
    private final String lastConsole;

    World(List<String> needed, String firstConsole, String lastConsole) {
        this.needed = needed;
        this.firstConsole = firstConsole;
        this.lastConsole = lastConsole;
    }

    /** {@return drivers without which a kernel does not start there} */
    List<String> needed() {
        return needed;
    }

    /** {@return arguments of the kernel: the last console is that of the boot's messages} */
    String consoles() {
        return firstConsole + " " + lastConsole;
    }
}
