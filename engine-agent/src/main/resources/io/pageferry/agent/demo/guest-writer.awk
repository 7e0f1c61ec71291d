# The checking writer of the test guest. Its working set is `set` MiB of tmpfs files of 16 pages;
# each page is one line of exactly 4096 bytes: a head of fixed length that names file, page and
# version, then filler. So every page of every version is known, and differs from all others.
# Standard input paces it; time is read from /proc/uptime, so the rate holds whatever the pace.

# A window into the filler that depends on the version too: a page's next version shares no long
# run of bytes at the same place with the one before, so a delta of the two is no cheat.
function body(file, k, version) {
    return window[(file + k * 5 + version * 11) % 64]
}

function write(file, version,    k, path, stem, tail) {
    path = "/run/set/" file
    stem = "p" file + 1000000 "."
    tail = "." version + 10000000 " "
    for (k = 10; k < 26; k++) {
        print (stem k tail) body(file, k, version) > path
    }
    close(path)
    held[file] = version
    pages += 16
}

function check(file, version,    k, path, stem, tail, line) {
    path = "/run/set/" file
    stem = "p" file + 1000000 "."
    tail = "." version + 10000000 " "
    for (k = 10; k < 26; k++) {
        line = ""
        getline line < path
        if (line != (stem k tail) body(file, k, version)) {
            if (++bad <= 20) {
                print "bad page " stem k tail "holds " substr(line, 1, 24)
            }
        }
    }
    close(path)
}

function tell() {
    print bad + 0, pages > "/run/set.stat"
    close("/run/set.stat")
}

function uptime(    line) {
    getline line < "/proc/uptime"
    close("/proc/uptime")
    return line + 0
}

BEGIN {
    getline filler < "/run/filler"
    for (k = 0; k < 64; k++) {
        window[k] = substr(filler, k * 960 + 1, 4074)
    }
    if (template) {
        # 56 windows of 64 KiB: the pages that the bulk writer's chunks are cut from.
        for (k = 0; k < 896; k++) {
            print "t" k + 1000000 ".00.00000000 " window[k % 64]
        }
        exit
    }
    if (length(window[63]) != 4074) {
        print "bad filler"
    }
    srand(4711)
    files = set * 16
    for (file = 0; file < files; file++) {
        write(file, 1)
    }
    pages = 0
    tell()
    print "ready"
    start = uptime()
    while ((getline token) > 0) {
        # At most 64 files in one go: a guest that slept does not try to catch up for ever.
        due = (uptime() - start) * rate / 64 - pages / 16
        if (due > 64) {
            start += (due - 64) * 64 / rate
            due = 64
        }
        for (; due >= 1; due--) {
            file = int(rand() * files)
            check(file, held[file])
            write(file, held[file] + 1)
        }
        tell()
    }
}
