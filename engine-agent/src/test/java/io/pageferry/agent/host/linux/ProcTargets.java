package io.pageferry.agent.host.linux;

import io.pageferry.agent.host.linux.ProcessMaps.Mapping;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.core.testing.fuzz.TextTarget;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the kernel writes about processes and sockets, and what it never wrote. */
public final class ProcTargets implements FuzzTargets {
    private static final String MAPS = """
            00400000-0040b000 r-xp 00000000 fe:01 1234                       /usr/bin/a b
            7f00deadb000-7f00deadd000 rw-s 00001000 00:05 77                 /memfd:ram (deleted)
            7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                  [stack]
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0
            """;
    private static final String STAT = "42 (a) R 1) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0"
            + " 12345 1000 2 18446744073709551615\n";
    private static final String STATUS = """
            Name:\tqemu
            Umask:\t0022
            State:\tS (sleeping)
            PPid:\t7
            Uid:\t1000\t1001\t1002\t1003
            """;
    private static final String TCP = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  time
               0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000 0 77 1
               1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 78 1
               2: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D431 01 \
            0:0 0:0 0 1000 0 77
            """;
    private static final String UNIX = """
            Num       RefCount Protocol Flags    Type St Inode Path
            ffff888100000000: 00000002 00000000 00010000 0001 01 4711 /run/a b.sock
            ffff888100000400: 00000003 00000000 00000000 0001 03 4712 /run/a b.sock
            ffff888100000800: 00000002 00000000 00000000 0002 01 4713
            """;

    @Override
    public List<FuzzTarget> all() {
        return List.of(
                new TextTarget("proc-maps", ProcessMaps.class,
                        Set.of("parseAll", "parse", "hex", "utf8"), Map.of("maps", MAPS),
                        ProcTargets::maps),
                new TextTarget("proc-fdinfo", ProcessMaps.class, Set.of("openFlags"),
                        Map.of("file", "pos:\t0\nflags:\t0140002\nmnt_id:\t29\n"),
                        text -> ProcessMaps.openFlags(text) != 0),
                new TextTarget("proc-stat", Processes.Stat.class, Set.of("of"),
                        Map.of("stat", STAT), text -> Processes.Stat.of(text).startTicks() >= 0),
                new TextTarget("proc-status", Processes.class, Set.of("lineOf", "user"),
                        Map.of("status", STATUS), ProcTargets::status),
                new TextTarget("proc-tcp", PeerUser.class,
                        Set.of("find", "canonical"), Map.of("tcp", TCP), ProcTargets::tcp),
                new TextTarget("proc-unix", UnixPeer.class, Set.of("listening"),
                        Map.of("unix", UNIX),
                        text -> !UnixPeer.listening(text, "/run/a b.sock").isEmpty()));
    }

    /** The line of a mapping that was taken can be written again, and says the same. */
    private static boolean maps(String text) throws IOException {
        List<Mapping> all = ProcessMaps.parseAll(text);
        for (Mapping one : all) {
            String line = String.format("%x-%x %s %x %x:%x %s %s", one.start(), one.end(),
                    one.permissions(), one.offset(), one.file().device() >>> 32,
                    one.file().device() & 0xffffffffL,
                    Long.toUnsignedString(one.file().inode()), "x");
            Mapping again = ProcessMaps.parse(line);
            require(again.start() == one.start() && again.length() == one.length()
                    && again.file().equals(one.file())
                    && again.writesToFile() == one.writesToFile(), one + " is not " + again);
        }
        return !all.isEmpty();
    }

    private static boolean status(String text) throws IOException {
        require(Processes.lineOf(text, "PPid").indexOf('\n') < 0, "two lines");
        return Processes.user(text, 2) >= 0;
    }

    private static boolean tcp(String text) throws IOException {
        return PeerUser.find(new BufferedReader(new StringReader(text)), key(8080), key(54321))
                .isPresent();
    }

    private static String key(int port) {
        try {
            return PeerUser.key(new InetSocketAddress(
                    InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
