package io.pageferry.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.demo.AgentProcess;
import io.pageferry.agent.e2e.AgentJars;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bad input gets one clear line and the right exit code, as the end of the contract says. */
@Sampled
class BadInputTest {
    private static final long LIMIT_SECONDS = Requirements.HANG.toSeconds();
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2 | Unknown option: '--no-such' | MOVE --no-such
            2 | nosuch | nosuch
            2 | --to | migrate workload:8MiB
            2 | parsecs | MOVE --timeout 5parsecs
            2 | no kind of guest | migrate nosuch:1 --to 127.0.0.1:1
            2 | never a source | migrate image:/tmp/x --to 127.0.0.1:1
            2 | no loopback address | migrate workload:8MiB --to 203.0.113.1:1
            2 | no loopback address | receive workload:8MiB --listen 0.0.0.0:0
            2 | target-is-fenced | settle 00000000-0000-0000-0000-000000000001 --source
            2 | percentage of 1 to 99 | MOVE --throttle 100%
            2 | percentage of 1 to 99 | MOVE --throttle fast
            2 | percentage of 1 to 100 | MOVE --throttle auto --max-stolen 0%
            2 | kvm-classic | MOVE --write-quota 40/10ms
            2 | for example 40/10ms | MOVE --policy kvm-classic --write-quota 40
            2 | for example 40/10ms | MOVE --policy kvm-classic --write-quota 0/10ms
            2 | less than 1Mbit/s | MOVE --bandwidth 999kbit/s
            2 | is no rate | MOVE --bandwidth-switchover fast
            2 | not in this version | MOVE --tracker kvm
            2 | --as-copy is for disk: guests | MOVE --as-copy
            2 | --quiesce is for disk: guests | MOVE --quiesce true
            2 | add --as-copy | migrate disk:/nosuch --to 127.0.0.1:1 --after thaw
            2 | of a disk guest there are | migrate disk:/nosuch --to 127.0.0.1:1 --after resume
            3 | there is no /nosuch | migrate disk:/nosuch --to 127.0.0.1:1 --after poweroff
            2 | --on-read-error is for disk: guests | MOVE --on-read-error zero
            2 | there are stop, zero | migrate disk:/nosuch --to 127.0.0.1:1 --on-read-error x
            2 | there are raw, qcow2    | migrate disk:/nosuch?format=vpc --to 127.0.0.1:1
            2 | of a disk guest there are keep | migrate disk:/nosuch --to 127.0.0.1:1 --after quit
            2 | there are auto and bpf | migrate disk:/nosuch --to 127.0.0.1:1 --tracker scan
            3 | there is no /nosuch | migrate disk:/nosuch --to 127.0.0.1:1
            3 | there is no /nosuch | receive disk:/nosuch --listen 127.0.0.1:0
            2 | a machine is this host | migrate machine:/dev/sda --to 127.0.0.1:1
            2 | write absolute paths | migrate machine:?disks=sda --to 127.0.0.1:1
            3 | there is no /nosuch | migrate machine:?disks=/nosuch --to 127.0.0.1:1
            2 | receive a machine where? | receive machine: --listen 127.0.0.1:0
            3 | there is no folder /nosuch | receive machine:/nosuch/x --listen 127.0.0.1:0
            3 | is no folder | receive --start machine:/etc/hostname --listen 127.0.0.1:0
            2 | --start wants a FILE | receive workload:8MiB --listen 127.0.0.1:0 --start
            2 | leave workload:8MiB out | receive workload:8MiB --listen 127.0.0.1:0 --start x
            2 | not in this version | MOVE --verify strong
            2 | --verify strange: there are sent, full, none | MOVE --verify strange
            2 | --codec x: there are adaptive, none, lz4, zstd | MOVE --codec x
            2 | --policy x: there are downtime-budget, kvm-classic | MOVE --policy x
            2 | --progress loud: there are auto, plain, none | MOVE --progress loud
            2 | --after resume: of a workload guest there are quit, keep | MOVE --after resume
            2 | --tracker marking: there are auto, userfaultfd, scan | check x:y --tracker marking
            2 | is not in 1 to 64 | MOVE --channels 0
            2 | is not in 1 to 64 | MOVE --channels 65
            3 | no disks to copy | MOVE --copy-storage
            3 | its folder is missing | MOVE --capture /nosuch/x
            3 | is there already | MOVE --capture /etc/hostname
            3 | is there already | receive workload:8MiB --listen 127.0.0.1:0 --capture /etc
            2 | is no size | MOVE --delta-cache lots
            2 | --tls-key is missing | MOVE --tls-cert x
            2 | --tls-cert is missing | receive workload:8MiB --listen 127.0.0.1:0 --tls-key x
            2 | --tls-ca is missing | status --tls-cert x --tls-key x
            2 | --tls-cert /nosuch: there is no such file | MOVE --tls-cert /nosuch TLS
            2 | has no certificate in PEM | MOVE --tls-cert /etc/hostname TLS
            2 | Is a directory | settle 00000000-0000-0000-0000-000000000001 --tls-cert /etc TLS
            2 | --allow-peer names certificates | MOVE --allow-peer x
            2 | --token-file /nosuch: there is no such file | MOVE --token-file /nosuch
            2 | other users have rights to it: chmod 600 | status --token-file /etc/hostname
            2 | is no regular file | receive workload:8MiB --listen 127.0.0.1:0 --token-file /etc
            2 | is no regular file | MOVE --token-file /dev/zero
            2 | takes 107 at most | migrate workload:8MiB --to unix:/LONG
            2 | takes 107 at most | receive workload:8MiB --listen unix:/LONG
            2 | write unix:PATH | migrate workload:8MiB --to unix:
            3 | there is no such socket | migrate workload:8MiB --to unix:/nosuch/x
            3 | there is no such folder | receive workload:8MiB --listen unix:/nosuch/x
            3 | there is no such folder | receive workload:8MiB --listen unix:/nosuch/x
            2 | write unix:PATH or https://HOST:PORT | history --api http://127.0.0.1:1
            2 | give --tls-cert, --tls-key and | history --api https://127.0.0.1:1
            2 | name the HOST | trust token --dir /nosuch
            2 | --life 25h is not in 1s to 24h | trust token --dir /nosuch host --life 25h
            2 | give the TOKEN | trust join --dir /nosuch
            2 | a part of it is missing: copy the | trust join --dir /nosuch pageferry-join-AQID
            2 | a part of it is missing | trust join --dir /nosuch something
            3 | trust init --dir /nosuch makes one | trust token --dir /nosuch b.example
            3 | trust init --dir /nosuch makes one | trust list --dir /nosuch
            3 | trust init --dir /nosuch makes one | trust revoke --dir /nosuch host
            3 | there is no such file | trust renew --dir /nosuch
            2 | there are init, issue, show | trust make
            2 | name the HOST | trust issue --dir /nosuch
            2 | cannot name a host's files | trust issue --dir /nosuch ../x
            2 | cannot name a host's files | trust issue --dir /nosuch ca
            2 | is no address | trust issue --dir /nosuch x --ip localhost
            2 | is no DNS name | trust issue --dir /nosuch x --dns 10.0.0.1
            3 | trust init --dir /nosuch makes one | trust issue --dir /nosuch x
            3 | trust init --dir /nosuch makes one | trust show --dir /nosuch
            2 | --tls-cert, --tls-key, --tls-ca is not in this version | demo --tls-ca x
            2 | there are workload and qemu | demo --guest vax
            2 | parsecs | demo --memory 5parsecs
            2 | parsecs | demo --guest qemu --working-set 5parsecs
            2 | parsecs | demo --guest qemu --dirty-rate 5parsecs
            3 | /nosuch/vmlinuz is not | demo --guest qemu --kernel /nosuch/vmlinuz
            2 | contradict | settle 00000000-0000-0000-0000-000000000001 --source --target
            0 | --max-downtime=TIME | migrate --help
            2 | parsecs | MOVE --reconnect-window 5parsecs
            2 | parsecs | receive workload:8MiB --listen 127.0.0.1:0 --reconnect-window 5parsecs
            2 | is for image: | receive workload:8MiB --listen 127.0.0.1:0 --once --activate x
            2 | not in this version | plan workload:8MiB
            3 | there is no file | verify /nosuch/x
            3 | is no capture; give the FILE | verify /etc/hostname
            3 | is no regular file | verify /etc
            2 | CAPTURE | verify
            2 | Unknown option | verify --no-such x
            2 | info, verify | image look x
            3 | there is no complete image | image info /nosuch/x
            3 | is no regular file | image info /
            3 | give the FILE | image verify /etc/hostname
            2 | not in this version | bench nosuch
            2 | --for | adapt /nosuch
            2 | --for xen: there are kvm, physical | adapt /nosuch --for xen
            2 | --hostname is for --clone | adapt /nosuch --for kvm --hostname a
            2 | is no name of a host | adapt /nosuch --for kvm --clone --hostname a_b
            2 | write NAME=MAC | adapt /nosuch --for kvm --mac ens8
            2 | there are raw, qcow2 | adapt /nosuch?format=vpc --for kvm
            2 | there is virt-v2v | adapt /nosuch --for kvm --adapter x
            2 | without --grow | adapt /nosuch --for kvm --adapter virt-v2v --grow
            2 | takes one disk | adapt /nosuch,/no --for kvm
            3 | there is no /nosuch | adapt /nosuch --for kvm
            2 | there is no such folder | prepare --root /nosuch --dry-run
            2 | --undo takes neither | prepare --undo --boot-check x
            3 | there is nothing to undo | prepare --undo --root /sys
            2 | both or none | boot-check --source
            2 | write NAME=ADDRESS | boot-check --from ens8
            2 | parsecs | boot-check --settle-window 5parsecs
            0 | was not moved away | boot-check --root /sys
            3 | no guest at | migrate qemu:/nosuch/qmp.sock --to 127.0.0.1:1
            3 | refused | migrate workload:8MiB --to 127.0.0.1:1
            3 | no image can be made | receive image:/nosuch/file --listen 127.0.0.1:0 --prealloc
            """)
    void oneLineAndTheExitCode(int code, String words, String command) throws Exception {
        Ended ended = run(Arrays.asList(command.replace("MOVE",
                "migrate workload:8MiB --to 127.0.0.1:1").replace("TLS",
                "--tls-key /nosuch --tls-ca /nosuch").replace("LONG", "x".repeat(107)).split(" ")));
        assertEquals(code, ended.code(), ended.words());
        assertTrue(ended.words().contains(words), ended.words());
        assertFalse(ended.words().contains("\tat "), ended.words());
    }

    @Test
    void verboseShowsWhere() throws Exception {
        Ended ended = run(List.of("migrate", "nosuch:1", "--to", "127.0.0.1:1", "--verbose"));
        assertEquals(2, ended.code(), ended.words());
        assertTrue(ended.words().contains("\tat "), ended.words());
    }

    /** Only the program that moved the guest knows how to reach such a target. */
    @Test
    void settlingOverATransportOfAnEmbeddersOwnStaysInDoubt() throws Exception {
        UUID migration = new UUID(1, 2);
        Path state = folder.resolve("own");
        try (FileJournal journal = StateDirectory.open(state).create(new JournalHeader(
                JournalHeader.SCHEMA, migration, Side.SOURCE, "a machine", "rack 7, slot 2", 0,
                Map.of()))) {
            journal.write(new JournalRecord(JournalState.GRANTED, 1, true, ""));
        }
        Ended ended = run(List.of("settle", migration.toString(), "--state-dir",
                state.toString()));
        assertEquals(6, ended.code(), ended.words());
        assertTrue(ended.words().contains("own transport")
                && ended.words().contains("--source --target-is-fenced"), ended.words());
    }

    @Test
    void aPortInUseIsARefusal() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Ended ended = run(List.of("receive", "workload:8MiB", "--listen",
                    "127.0.0.1:" + taken.getLocalPort()));
            assertEquals(3, ended.code(), ended.words());
            assertTrue(ended.words().contains("cannot listen"), ended.words());
        }
    }

    /** A target waits 5 s for the first word; a guard may take longer to get ready. */
    @Test
    void whateverTakesTimeIsDoneBeforeItConnects() throws Exception {
        Path state = folder.resolve("state");
        try (ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                AgentProcess source = agent("migrate workload:8MiB --linger 10ms --to 127.0.0.1:"
                        + target.getLocalPort(), List.of("--state-dir", state.toString(),
                        "--json"))) {
            target.setSoTimeout((int) LIMIT_SECONDS * 1_000);
            try (Socket came = target.accept()) {
                assertEquals(1, StateDirectory.open(state).all(Assertions::fail).size());
                assertTrue(came.isConnected());
            }
            assertEquals(3, source.exitCode());
            assertEquals(0, StateDirectory.open(state).all(Assertions::fail).size());
        }
    }

    @Test
    void aBadCommandLineEndsWithAReportWhereJsonWasAskedFor() throws Exception {
        Ended ended = run(List.of("migrate", "nosuch:1", "--to", "127.0.0.1:1", "--json"));
        assertEquals(2, ended.code());
        String last = ended.words().lines().filter(line -> line.startsWith("{")).toList().getLast();
        JsonNode report = JSON.readTree(last);
        assertEquals("report", report.path("event").asText());
        assertEquals("usage", report.at("/error/code").asText());
    }

    @Test
    void garbageAndARefusedGuestDoNotCountAndAGoodOneIsTakenIn() throws Exception {
        List<String> state = List.of("--state-dir", folder.resolve("state").toString(), "--json");
        try (AgentProcess target = agent("receive workload:8MiB --listen 127.0.0.1:0 --once"
                + " --linger 100ms", state)) {
            String address = target.await("listening", event -> { }).path("address").asText();
            garbage(Integer.parseInt(address.substring(address.indexOf(':') + 1)));
            try (AgentProcess wrong = agent("migrate workload:16MiB --linger 10ms --to " + address,
                    state)) {
                assertEquals(3, wrong.exitCode());
                assertEquals("guest-mismatch", wrong.report().at("/error/code").asText());
            }
            try (AgentProcess good = agent("migrate workload:8MiB?rate=1MiB/s --to " + address,
                    state)) {
                assertEquals(0, good.exitCode());
                assertTrue(good.report().at("/verification/match").asBoolean());
            }
            assertEquals(0, target.exitCode());
            assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1));
            assertEquals(0, target.report().at("/guestCheck/lostTicks").asLong(-1));
        }
    }

    private static void garbage(int port) throws IOException {
        try (Socket http = new Socket(InetAddress.getLoopbackAddress(), port)) {
            http.getOutputStream().write(
                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertTrue(silent.isConnected());
        }
    }

    private static AgentProcess agent(String command, List<String> more) throws IOException {
        List<String> words = new ArrayList<>(Arrays.asList(command.split(" ")));
        words.addAll(more);
        return AgentProcess.start(List.of("-XX:TieredStopAtLevel=1"), words, null);
    }

    /** How a command ended: its exit code, and stdout and stderr in one. */
    private record Ended(int code, String words) { }

    private Ended run(List<String> command) throws Exception {
        List<String> words = new ArrayList<>(command);
        if (List.of("migrate", "receive").contains(command.getFirst())) {
            words.addAll(List.of("--state-dir", folder.resolve("state").toString()));
        }
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(AgentJars.command(List.of(), words))
                .redirectErrorStream(true).redirectOutput(output.toFile()).start();
        try {
            assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "it hangs: " + command);
            return new Ended(process.exitValue(), Files.readString(output));
        } finally {
            process.destroyForcibly();
        }
    }
}
