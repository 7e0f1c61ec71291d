# What makes the test guest one that virsh can manage. What is typed behind "say" on its first
# serial line it writes to its disk, and answers with it and with what was there before, read from
# the disk. Of a line without its beginning, typed before the port was open, it knows nothing. To
# the channel of the guest agent it answers what `virsh shutdown` asks for.

for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci \
        virtio_blk virtio_console; do
    insmod "/modules/$module.ko"
done

console() {
    exec 0<>/dev/ttyS0
    stty raw -echo
    while read -r word line; do
        [ "$word" = say ] || continue
        echo 3 > /proc/sys/vm/drop_caches
        kept=$(head -c 64 /dev/vda | tr -d '\0')
        echo "$line" | dd of=/dev/vda bs=512 conv=sync,fsync 2> /dev/null
        echo "heard $line, kept $kept." > /dev/ttyS0
    done
}

# A port to which no host is connected reads as ended.
agent() {
    port=$(echo /dev/vport*p1)
    exec 0<> "$port"
    while :; do
        while read -r line; do
            case $line in
                *guest-sync*)
                    id=${line##*\"id\":}
                    echo "{\"return\":${id%%\}*}}" >&0
                    ;;
                *guest-shutdown*)
                    poweroff -f
                    ;;
            esac
        done
        sleep 0.2
    done
}

console &
agent &
echo "managed"
wait
