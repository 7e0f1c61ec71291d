#!/bin/busybox sh
# The whole user space of Pageferry's Linux test guest: a ticker that never waits for the writers,
# and writers that check pages before they overwrite them. A page that was lost or is stale after
# a move shows as bad > 0; a guest that stood still, lived twice or went back shows in the ticks.
#
# Kernel parameters, all optional:
#   pageferry.ticks=MS         milliseconds between two ticks (10)
#   pageferry.set=MIB          working set of the checking writer (32)
#   pageferry.rate=KIB/S       what it overwrites; each page is checked before (4096)
#   pageferry.bulk=MIB         working set of the bulk writer; even, 0: none (0)
#   pageferry.bulkrate=KIB/S   what that one overwrites; checked when there is time (65536)
#   pageferry.fill=text|random what pages hold after their head: compressible or not (text)

/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
mkdir -p /run
mount -t tmpfs -o size=95% none /run

ticks=10 set=32 rate=4096 bulk=0 bulkrate=65536 fill=text
for word in $(cat /proc/cmdline); do
    case $word in
        pageferry.ticks=*) ticks=${word#*=} ;;
        pageferry.set=*) set=${word#*=} ;;
        pageferry.rate=*) rate=${word#*=} ;;
        pageferry.bulk=*) bulk=${word#*=} ;;
        pageferry.bulkrate=*) bulkrate=${word#*=} ;;
        pageferry.fill=*) fill=${word#*=} ;;
    esac
done

mkdir /run/set /run/bulk
mkfifo /run/wait.tick /run/wait.pace /run/wait.bulk
echo "0 0" > /run/set.stat
echo "0 0" > /run/bulk.stat

# 64 KiB of filler. Text repeats after 64 characters; base64 of random bytes has no repetition
# that LZ4 could use within a page.
if [ "$fill" = random ]; then
    head -c 49152 /dev/urandom | base64 -w 0 > /run/filler
else
    yes "the ferry carries the pages while the guest goes on writing here" | tr '\n' ' ' \
        | head -c 65536 > /run/filler
fi

# `read -t` on a fifo that nobody writes to sleeps without a fork: a fork of `sleep` costs several
# milliseconds under TCG.
tick() {
    # It goes before the writers, so that a silence is the machine's and not the guest's own queue.
    read -r self rest < /proc/self/stat
    renice -n -20 -p "$self" > /dev/null
    exec 0<>/run/wait.tick
    n=0 bad=0 pages=0 bulkbad=0 bulkpages=0
    while :; do
        read -t "$1" line
        n=$((n + 1))
        # An empty read is a file that is just being replaced: the old values stand. On several
        # vCPUs the first bytes may read as zeros, which `read` skips: the second word is missing.
        read -r b p < /run/set.stat && [ -n "$p" ] && bad=$b pages=$p
        read -r b p < /run/bulk.stat && [ -n "$p" ] && bulkbad=$b bulkpages=$p
        echo "tick $n bad=$((bad + bulkbad)) pages=$((pages + bulkpages))"
    done
}

# Wakes the checking writer once a tick, because awk cannot sleep. A writer that is behind never
# waits, and a full pipe stops only this loop.
pace() {
    exec 0<>/run/wait.pace
    while :; do
        echo
        read -t "$1" line
    done
}

# A chunk is 2 MiB, written in place from one of four windows of a template whose pages are all
# different. Chunk c holds window (c + pass) % 4, so neighbours differ, and so do versions.
put() {
    dd if=/run/template of=/run/bulk/$1 bs=64k count=32 skip=$(($2 % 4 * 8)) conv=notrunc \
        2>/dev/null
}

centiseconds() {
    read -r up rest < /proc/uptime
    now=$((${up%.*} * 100 + 1${up#*.} - 100))
}

fill_bulk() {
    awk -f /writer.awk -v template=1 > /run/template
    for w in 0 1 2 3; do
        eval "sum$w=\$(dd if=/run/template bs=64k count=32 skip=$((w * 8)) 2>/dev/null | md5sum)"
    done
    c=0
    while [ $c -lt $((bulk / 2)) ]; do
        put $c $c
        c=$((c + 1))
    done
}

write_bulk() {
    exec 0<>/run/wait.bulk
    bad=0 chunks=0 written=0 c=0 pass=0
    centiseconds
    start=$now
    while :; do
        centiseconds
        behind=$(((now - start) * bulkrate / 100 - written))
        if [ $behind -lt 2048 ]; then
            read -t 0.01 line
            continue
        fi
        # The check costs ten times the write: behind its rate, only every eighth chunk gets one.
        if [ $behind -lt 16384 ] || [ $((chunks % 8)) -eq 0 ]; then
            eval "want=\$sum$(((c + pass) % 4))"
            if [ "$(md5sum < /run/bulk/$c)" != "$want" ]; then
                bad=$((bad + 1))
                echo "bad chunk $c pass $pass"
            fi
        fi
        # What could not be written in time is not made up for.
        if [ $behind -gt 32768 ]; then
            written=$((written + behind - 32768))
        fi
        put $c $((c + pass + 1))
        written=$((written + 2048)) chunks=$((chunks + 1)) c=$((c + 1))
        if [ $c -ge $((bulk / 2)) ]; then
            c=0 pass=$((pass + 1))
        fi
        echo "$bad $((chunks * 512))" > /run/bulk.stat
    done
}

interval=$(printf '%d.%03d' $((ticks / 1000)) $((ticks % 1000)))
tick "$interval" &
if [ "$bulk" -ge 2 ]; then
    fill_bulk
    write_bulk &
fi
# A test may have put more into the archive for it to do.
if [ -f /more.sh ]; then
    sh /more.sh &
fi
pace "$interval" | awk -f /writer.awk -v set="$set" -v rate="$rate"
echo "writer ended"
while :; do sleep 3600; done
