package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RoomsTest {

    /** For each rule, sources that break it. */
    private static final Map<String, List<Source>> BAD = new TreeMap<>(Map.ofEntries(
            bad("Netty stays in its room", "transport.wire", "import io.netty.buffer.ByteBuf;"),
            bad("downcalls stay in the Linux room", "agent.guest.qemu", "Linker.nativeLinker();"),
            bad("LZ4 stays in its codec", "core.codec", "import net.jpountz.lz4.LZ4Factory;"),
            bad("zstd stays in its codec, and where captures are checked", "core.codec",
                    "import com.github.luben.zstd.Zstd;"),
            Map.entry("LZ4 is in one class", List.of(
                    source("core.codec", "Lz4A", "import net.jpountz.lz4.LZ4Factory;"),
                    source("core.codec", "Lz4B", "import net.jpountz.xxhash.XXHash64;"))),
            bad("the clock is read by the agents", "core.round", "long t = System.nanoTime();"),
            bad("threads are started by the agents", "transport.netty", "new Thread(() -> { });"),
            bad("only Main ends the process", "agent.cli", "System.exit(1);"),
            bad("chance has a seed with a name", "agent", "var r = new Random(42);"),
            bad("core opens no socket", "core.migration",
                    "import java.nio.channels.SocketChannel;"),
            bad("no checksum decides what is zero", "core.image",
                    "return sum == PageChecksum.OF_ZEROS;"),
            bad("core names no option", "core.precopy", "fail(\"longer than --timeout \" + i--);"),
            bad("core names nothing above it", "core", "import io.pageferry.agent.Guard;"),
            bad("transport names nothing above it", "transport", "io.pageferry.bench.Rig r;"),
            bad("agent names nothing above it", "agent.cli", "import io.pageferry.bench.Rig;"),
            bad("host names nothing above it", "agent.host.linux",
                    "import io.pageferry.agent.guest.GuestKind;"),
            bad("guest names nothing above it", "agent.guest.qemu",
                    "import io.pageferry.agent.state.guard.Recovery;"),
            bad("state names nothing above it", "agent.state.guard",
                    "import io.pageferry.agent.session.SourceSession;"),
            bad("session names nothing above it", "agent.session",
                    "import io.pageferry.agent.cli.Main;"),
            bad("embed names no other front", "agent.embed",
                    "import io.pageferry.agent.cli.Main;"),
            bad("daemon names no other front", "agent.daemon.api",
                    "import io.pageferry.agent.cli.Main;"),
            bad("cli names no other front", "agent.cli",
                    "import io.pageferry.agent.embed.OutgoingMigration;"),
            bad("client stands beside the wings", "agent.client",
                    "import io.pageferry.agent.daemon.Daemon;"),
            bad("link stands beside the wings", "agent.link",
                    "import io.pageferry.agent.session.SourceSession;"),
            bad("report stands beside the wings", "agent.report",
                    "import io.pageferry.agent.state.journal.FileJournal;"),
            bad("capture stands beside the wings", "agent.capture",
                    "import io.pageferry.agent.link.Listener;"),
            bad("trust stands beside the wings", "agent.trust",
                    "import io.pageferry.agent.daemon.Daemon;"),
            bad("what makes certificates is in one room", "agent.cli.trust",
                    "import org.bouncycastle.cert.CertIOException;"),
            bad("the check of captures has its own arithmetic", "agent.capture.check",
                    "import io.pageferry.transport.wire.WireLimits;"),
            bad("every package of the agent is in a wing", "agent.road", ""),
            bad("every package is in a module's room", "house", ""),
            Map.entry("packages have no cycle", List.of(
                    source("core.a", "A", "import io.pageferry.core.b.B;"),
                    source("core.b", "B", "import static io.pageferry.core.c.C.x;"),
                    source("core.c", "C", "io.pageferry.core.a.A a;"))),
            Map.entry("a package has at most 12 types", IntStream.rangeClosed(0, 12)
                    .mapToObj(i -> source("core.memory", "T" + i, "")).toList())));

    static Stream<Rule> rules() {
        return Rooms.all().stream();
    }

    @ParameterizedTest
    @MethodSource("rules")
    void theSourcesKeepTo(Rule rule) {
        assertEquals("", String.join("\n", rule.breaches(Repository.sources())), rule.name());
    }

    @ParameterizedTest
    @MethodSource("rules")
    void aBadSourceIsFoundBy(Rule rule) {
        assertFalse(rule.breaches(BAD.get(rule.name())).isEmpty());
    }

    @Test
    void eachRuleHasItsBadSource() {
        assertEquals(new TreeSet<>(rules().map(Rule::name).toList()), BAD.keySet());
    }

    @Test
    void theSourcesOfAllModulesAreSeen() {
        for (String module : List.of("core", "transport", "agent", "bench")) {
            assertTrue(Repository.sources().stream().anyMatch(source -> source.isMain()
                    && source.path().startsWith("engine-" + module + "/")), module);
        }
    }

    @Test
    void theRightRoomIsLeftAlone() {
        List<Source> good = List.of(
                source("transport.netty", "A", "import io.netty.buffer.ByteBuf;"),
                source("transport.netty.io", "A", "import io.netty.buffer.ByteBuf;"),
                source("agent.host.linux", "B", "Linker.nativeLinker();"),
                source("agent.host.linux.kvm", "B", "Linker.nativeLinker();"),
                source("core.codec", "Lz4Codec", "import net.jpountz.lz4.LZ4Factory;"),
                source("agent", "C", "long t = System.nanoTime(); new Thread(() -> { });"),
                source("agent.cli", "Main", "System.exit(1); new Random(seed);"));
        assertEquals(List.of(), rules().flatMap(r -> r.breaches(good).stream()).toList());
    }

    @Test
    void proseMayNameAnything() {
        Source prose = source("core", "A", """
                // System.nanoTime() and
                /* import io.netty.buffer.ByteBuf;
                   new Random() */
                String s = "System.exit(\\"\\")" + '"'; char c = '\\''; String t = \"""
                    new Thread() "io.netty" \""";
                """);
        assertEquals(List.of(), rules().flatMap(r -> r.breaches(List.of(prose)).stream()).toList());
        assertTrue(prose.code().contains("char c"), prose.code());
    }

    @Test
    void anOptionIsFoundInLiteralsAlone() {
        Source core = source("core", "A", """
                // --timeout, pageferry settle
                int y = x --less; String jvm = "--enable-native-access=org.lz4.java";
                String a = "--timeout";
                String b = "then: pageferry settle " + id;
                """);
        List<String> found = rules().filter(rule -> rule.name().equals("core names no option"))
                .flatMap(rule -> rule.breaches(List.of(core)).stream()).toList();
        assertEquals(List.of(core.path() + ":4: \"--timeout\"",
                core.path() + ":5: \"then: pageferry settle \""), found);
    }

    @Test
    void aBreachNamesFileAndLine() {
        Source bad = source("core", "A", "int x;\nSystem.exit(2);");
        String breach = rules().flatMap(rule -> rule.breaches(List.of(bad)).stream())
                .findFirst().orElseThrow();
        assertEquals("engine-core/src/main/java/A.java:3: System.exit(2);", breach);
    }

    private static Map.Entry<String, List<Source>> bad(String rule, String room, String line) {
        return Map.entry(rule, List.of(source(room, "A", line)));
    }

    private static Source source(String room, String type, String body) {
        return Source.of("engine-core/src/main/java/" + type + ".java",
                "package io.pageferry." + room + ";\n" + body);
    }
}
