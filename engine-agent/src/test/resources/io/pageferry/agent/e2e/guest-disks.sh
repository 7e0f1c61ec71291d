# What the test guest does with its disks: an ext4 on each, which it mounts, reads, writes, syncs,
# unmounts and checks, for ever. What a file holds is known from its number alone, and each is read
# back from the disk in a later round, so one that a move lost, or brought back in an older
# version, is found. A line for each round:
#   disk vda round=3 files=9 bad=0 fsck=0

for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci \
        virtio_blk; do
    insmod "/modules/$module.ko"
done

# Some 10 KiB that differ from those of every other number.
text() {
    seq "$1" 7 $(($1 + 14000))
}

bad() {
    bad=$((bad + 1))
    echo "bad disk $*"
}

# The newest 12 files are kept, 3 are added in each round.
work() {
    round=0 files=0 bad=0
    mkdir "/$1"
    while :; do
        mount -t ext4 "/dev/$1" "/$1" || bad "$1: no mount"
        n=$((files > 12 ? files - 12 : 0))
        while [ $n -lt $files ]; do
            text $n | cmp -s - "/$1/file$n" || bad "$1: file$n"
            n=$((n + 1))
        done
        for more in 1 2 3; do
            text $files | dd of="/$1/file$files" bs=4k conv=fsync 2> /dev/null \
                || bad "$1: file$files not written"
            [ $files -lt 12 ] || rm "/$1/file$((files - 12))" || bad "$1: no old file"
            files=$((files + 1))
        done
        sync
        umount "/$1" || bad "$1: no umount"
        /bin/e2fsck -f -n "/dev/$1" > "/run/fsck.$1" 2>&1
        fsck=$?
        [ $fsck -eq 0 ] || bad "$1: $(cat "/run/fsck.$1")"
        round=$((round + 1))
        echo "disk $1 round=$round files=$files bad=$bad fsck=$fsck"
    done
}

for disk in vda vdb; do
    if [ -b "/dev/$disk" ]; then
        work $disk &
    fi
done
wait
