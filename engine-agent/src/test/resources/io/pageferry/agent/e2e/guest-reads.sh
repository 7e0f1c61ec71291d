# What the test guest does with a disk that nobody writes: it reads all of it, again and again, each
# time from the disk and not from its memory, and compares. A line for each time:
#   disk vda pass=3 bad=0
# Where a line before all this sets rest, it leaves the disk alone for so many seconds after each, and
# has other things in its memory each time, so that what it reads comes to other places.

for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci \
        virtio_blk; do
    insmod "/modules/$module.ko"
done

want=$(md5sum < /dev/vda)
pass=0 bad=0
while :; do
    echo 3 > /proc/sys/vm/drop_caches
    if [ -e /more ]; then
        rm /more
    elif [ -n "$rest" ]; then
        head -c 5000000 /dev/zero > /more
    fi
    # Once from the disk, and once from what is kept of it.
    for from in disk memory; do
        [ "$(md5sum < /dev/vda)" = "$want" ] || bad=$((bad + 1))
    done
    pass=$((pass + 1))
    echo "disk vda pass=$pass bad=$bad"
    [ -z "$rest" ] || sleep "$rest"
done
