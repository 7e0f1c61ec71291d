package io.pageferry.bench.house;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What may stand where: the rooms of docs/ARCHITECTURE.md. */
final class Rooms {

    static final int MOST_TYPES_OF_A_PACKAGE = 12;

    private static final String ROOT = "io.pageferry.";
    private static final String AGENT = ROOT + "agent";
    private static final String BENCH = ROOT + "bench";
    private static final String CORE = ROOT + "core";
    private static final List<String> WINGS = List.of("host", "guest", "state", "session", "embed",
            "daemon", "client", "cli", "link", "report", "capture", "trust", "demo", "bench");
    private static final Predicate<Source> NOWHERE = source -> false;

    private Rooms() { }

    static List<Rule> all() {
        return Stream.of(rooms(), core(), wings(), shape()).flatMap(List::stream).toList();
    }

    private static List<Rule> rooms() {
        return List.of(
                Rule.only("Netty stays in its room", "\\bio\\.netty\\b",
                        source -> source.isIn(ROOT + "transport.netty", BENCH)),
                Rule.only("downcalls stay in the Linux room", "\\bnativeLinker\\b",
                        source -> source.isIn(AGENT + ".host.linux")),
                Rule.only("LZ4 stays in its codec", "\\bnet\\.jpountz\\b",
                        source -> source.isIn(CORE + ".codec")
                                && source.typeName().startsWith("Lz4")),
                Rule.only("zstd stays in its codec, and where captures are checked",
                        "\\bcom\\.github\\.luben\\b",
                        source -> source.isIn(CORE + ".codec")
                                && source.typeName().startsWith("Zstd")
                                || source.isIn(AGENT + ".capture.frame")),
                new Rule("LZ4 is in one class", Rooms::secondClassWithLz4),
                Rule.only("the clock is read by the agents",
                        "\\bSystem\\s*\\.\\s*(nanoTime|currentTimeMillis)\\b"
                                + "|\\b(Instant|Local\\w+)\\s*\\.\\s*now\\b"
                                + "|\\bClock\\s*\\.\\s*system|\\bSystem(Nano|Epoch)\\w*Clock\\b",
                        source -> source.isIn(AGENT, BENCH)),
                Rule.only("threads are started by the agents",
                        "\\bnew\\s+Thread\\b|\\bThread\\s*\\.\\s*(ofPlatform|ofVirtual|start\\w+)"
                                + "|\\bExecutor(s|Service)\\b|\\bThreadPoolExecutor\\b"
                                + "|\\bForkJoinPool\\b|\\b(run|supply)Async\\b"
                                + "|\\bparallel(Stream)?\\s*\\(|\\bnew\\s+Timer\\b"
                                + "|\\bstartOnThread\\b|\\bextends\\s+Thread\\b",
                        source -> source.isIn(AGENT, BENCH)),
                Rule.only("only Main ends the process",
                        "\\bSystem\\s*\\.\\s*exit\\b|\\.\\s*halt\\s*\\(",
                        source -> source.isIn(AGENT + ".cli")
                                && source.typeName().equals("Main")),
                new Rule("chance has a seed with a name", Rooms::chanceWithoutSeed));
    }

    private static List<Rule> core() {
        return List.of(
                Rule.only("core opens no socket",
                        "\\bjava(x)?\\.net\\b"
                                + "|\\bjava\\.nio\\.channels\\.(\\w*Socket\\w*|Datagram\\w*"
                                + "|NetworkChannel|Select\\w+|\\*)",
                        source -> !source.isIn(CORE)),
                new Rule("core names no option", Rooms::optionsInCore),
                Rule.only("no checksum decides what is zero",
                        "[!=]=\\s*(PageChecksum\\.)?OF_ZEROS|OF_ZEROS\\s*[!=]=",
                        source -> !source.isMain()),
                // Each layer may name those below it, so these are the names it may not.
                upward("core", "transport|agent|bench"),
                upward("transport", "agent|bench"),
                upward("agent", "bench"),
                Rule.only("every package is in a module's room", "^package\\b",
                        source -> source.isIn(CORE, ROOT + "transport", AGENT, BENCH)));
    }

    /** host, guest, state, session, the fronts; link, report, capture and client beside them. */
    private static List<Rule> wings() {
        return List.of(
                wing("host", "guest|state|session|embed|daemon|client|cli|link|report"),
                wing("guest", "state|session|embed|daemon|client|cli|link"),
                wing("state", "session|embed|daemon|client|cli"),
                wing("session", "embed|daemon|client|cli"),
                front("embed", "daemon|client|cli|demo|bench"),
                // The command line has the daemon's command, and reads the words of its calls.
                front("daemon", "embed|client|cli|demo|bench"),
                front("cli", "embed"),
                beside("client", "guest|state|session|embed|daemon|cli|link"),
                beside("link", "guest|state|session|embed|daemon|cli"),
                beside("report", "state|session|embed|daemon|cli"),
                beside("capture", "guest|state|session|embed|daemon|cli|link|report"),
                beside("trust", "guest|state|session|embed|daemon|cli|link|report"),
                Rule.only("what makes certificates is in one room", "\\borg\\.bouncycastle\\b",
                        source -> !source.isMain() || source.isIn(AGENT + ".trust")),
                Rule.only("the check of captures has its own arithmetic",
                        "\\bio\\.pageferry\\.(?!agent\\.capture\\b)|\\bnet\\.jpountz\\b"
                                + "|\\bio\\.netty\\b",
                        source -> !source.isMain() || !source.isIn(AGENT + ".capture.frame",
                                AGENT + ".capture.check")),
                Rule.only("every package of the agent is in a wing", "^package\\b",
                        source -> !source.isMain() || !source.isIn(AGENT)
                                || source.packageName().equals(AGENT) || WINGS.stream()
                                .anyMatch(wing -> source.isIn(AGENT + "." + wing))));
    }

    private static Rule wing(String name, String above) {
        return apart(name + " names nothing above it", name, above);
    }

    private static Rule front(String name, String others) {
        return apart(name + " names no other front", name, others);
    }

    private static Rule beside(String name, String others) {
        return apart(name + " stands beside the wings", name, others);
    }

    private static Rule apart(String rule, String name, String others) {
        return Rule.only(rule, "\\bio\\.pageferry\\.agent\\.(" + others + ")\\b",
                source -> !source.isMain() || !source.isIn(AGENT + "." + name));
    }

    private static List<Rule> shape() {
        return List.of(
                new Rule("packages have no cycle", PackageCycles::find),
                new Rule("a package has at most 12 types", Rooms::crowdedPackages));
    }

    private static Rule upward(String room, String above) {
        return Rule.only(room + " names nothing above it",
                "\\bio\\.pageferry\\.(" + above + ")\\b",
                Predicate.not(source -> source.isIn(ROOT + room)));
    }

    private static List<String> secondClassWithLz4(List<Source> sources) {
        Rule anywhere = Rule.only("", "\\bnet\\.jpountz\\b", NOWHERE);
        return sources.stream()
                .map(source -> anywhere.breaches(List.of(source)))
                .filter(found -> !found.isEmpty())
                .map(List::getFirst)
                .skip(1)
                .toList();
    }

    /** An embedder has neither; an option of the JVM, whoever starts one. */
    private static List<String> optionsInCore(List<Source> sources) {
        Pattern named = Pattern.compile("--(?!enable-native-access)[a-z]|\\bpageferry [a-z]");
        return sources.stream()
                .filter(source -> source.isMain() && source.isIn(CORE))
                .flatMap(source -> source.literalsWith(named).stream())
                .toList();
    }

    /** Tests too: a failure that nobody can repeat helps nobody. */
    private static List<String> chanceWithoutSeed(List<Source> sources) {
        Pattern unseeded = Pattern.compile(
                "\\bnew\\s+(Random|SplittableRandom)\\s*\\((?![^;]*(?i:seed))"
                        + "|\\bMath\\s*\\.\\s*random\\b|\\bThreadLocalRandom\\b");
        return sources.stream()
                .flatMap(source -> source.linesWith(unseeded).stream())
                .toList();
    }

    private static List<String> crowdedPackages(List<Source> sources) {
        Map<String, Long> types = sources.stream()
                .filter(Source::isMain)
                .filter(source -> !source.typeName().endsWith("-info"))
                .collect(Collectors.groupingBy(Source::packageName, Collectors.counting()));
        return types.entrySet().stream()
                .filter(entry -> entry.getValue() > MOST_TYPES_OF_A_PACKAGE)
                .map(entry -> entry.getKey() + ": " + entry.getValue() + " types")
                .sorted()
                .toList();
    }
}
