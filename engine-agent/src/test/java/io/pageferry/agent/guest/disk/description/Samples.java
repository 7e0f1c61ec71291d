package io.pageferry.agent.guest.disk.description;

/** A description of each kind. */
final class Samples {
    static final String VMX = """
            .encoding = "UTF-8"
            # by hand
            displayName = "web server 1"
            memsize = "2048"
            numvcpus = "2"
            firmware = "bios"
            scsi0.present = "TRUE"
            scsi0.virtualDev = "pvscsi"
            scsi0:0.present = "TRUE"
            scsi0:0.fileName = "web.vmdk"
            scsi0:1.present = "FALSE"
            scsi0:1.fileName = "gone.vmdk"
            ide1:0.present = "TRUE"
            ide1:0.deviceType = "cdrom-image"
            ide1:0.fileName = "/iso/install.iso"
            ide0:0.present = "TRUE"
            ide0:0.fileName = "data.vmdk"
            ethernet0.present = "TRUE"
            ethernet0.virtualDev = "vmxnet3"
            ethernet0.generatedAddress = "00:0C:29:01:02:03"
            sound.present = "TRUE"
            """;
    static final String OVF = """
            <?xml version="1.0"?>
            <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
                xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
                xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/r"
                xmlns:vmw="http://www.vmware.com/schema/ovf">
              <References><File ovf:id="f1" ovf:href="db-disk1.vmdk" ovf:size="1"/></References>
              <DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="8"/>
              </DiskSection>
              <VirtualSystem ovf:id="db"><Info/>
                <VirtualHardwareSection><Info/>
                  <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
                    <rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>
                  <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
                    <rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>
                    <rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
                  <Item><rasd:InstanceID>3</rasd:InstanceID>
                    <rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
                    <rasd:ResourceType>6</rasd:ResourceType></Item>
                  <Item><rasd:HostResource>ovf:/disk/d1</rasd:HostResource>
                    <rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent>
                    <rasd:ResourceType>17</rasd:ResourceType></Item>
                  <Item><rasd:InstanceID>5</rasd:InstanceID>
                    <rasd:ResourceSubType>PCNet32</rasd:ResourceSubType>
                    <rasd:ResourceType>10</rasd:ResourceType></Item>
                  <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
                </VirtualHardwareSection>
              </VirtualSystem>
            </Envelope>
            """;
    static final String XML = """
            <domain type='kvm'><name>mail</name><memory unit='KiB'>1048576</memory>
              <vcpu placement='static'>2</vcpu>
              <os><type arch='x86_64' machine='pc'>hvm</type></os>
              <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
                <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
                  <source file='/images/mail.qcow2'/><target dev='vda' bus='virtio'/></disk>
                <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
                <interface type='network'><mac address='52:54:00:01:02:03'/>
                  <model type='virtio'/></interface>
                <tpm model='tpm-tis'/>
              </devices></domain>
            """;

    private Samples() {
    }
}
