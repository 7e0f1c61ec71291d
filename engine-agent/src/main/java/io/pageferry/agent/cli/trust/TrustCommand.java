package io.pageferry.agent.cli.trust;

import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.cli.remote.ApiArguments;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.trust.HostNames;
import io.pageferry.agent.trust.Issuance;
import io.pageferry.agent.trust.JoinToken;
import io.pageferry.agent.trust.Joining;
import io.pageferry.agent.trust.TrustFolder;
import io.pageferry.core.words.Quantity;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry trust}: a CA in a folder, the certificates that it issues, and how to join. */
@Command(name = "trust", description = "makes a CA and certificates for TLS, and lets hosts join")
public final class TrustCommand implements Callable<Integer> {
    private static final List<String> WITH_WORD = List.of("issue", "token", "join", "revoke");
    private static final List<String> ALL = List.of("init", "issue", "show", "token", "join",
            "list", "revoke", "renew");

    @Parameters(index = "0", paramLabel = "init|issue|show|token|join|list|revoke|renew",
            description = "init: make a CA, and with HOST this host's certificate; issue: make a"
                    + " certificate of HOST, or make it anew; show: tell what is there; token: let"
                    + " HOST join; join: get this host's certificate by a TOKEN; list: tell what"
                    + " was issued; revoke: have agents refuse HOST; renew: get a new certificate"
                    + " before the old one ends")
    private String what;

    @Parameters(index = "1", arity = "0..1", paramLabel = "HOST|TOKEN",
            description = "a host's name or address, by which others reach it; of join: what token"
                    + " printed, or - to read that from stdin: other users of a host can see"
                    + " the arguments of commands")
    private String word;

    @Option(names = "--dir", paramLabel = "DIR", description = "folder of the CA and of what it"
            + " issues, default /etc/pageferry/trust, where the packaged agent looks; what is"
            + " secret in it is readable by its owner alone")
    private Path folder = TrustFolder.USUAL;

    @Option(names = "--name", paramLabel = "CLUSTER", description = "of init: the CA's name")
    private String cluster = "Pageferry CA";

    @Option(names = "--dns", paramLabel = "NAME", description = "of init, issue and token: a name"
            + " by which peers reach the host, or one of several")
    private List<String> dns = new ArrayList<>();

    @Option(names = "--ip", paramLabel = "ADDRESS",
            description = "of the same: an address of the host; without --dns and --ip: localhost"
                    + " and 127.0.0.1")
    private List<String> addresses = new ArrayList<>();

    @Option(names = "--uri", paramLabel = "URI",
            description = "of the same: a name for --allow-peer, as spiffe://cluster/host")
    private List<String> uris = new ArrayList<>();

    @Option(names = "--address", paramLabel = "HOST:PORT", description = "of token and renew: where"
            + " the CA's agent is reached, default what it says itself, or how this host joined")
    private String address;

    @Option(names = "--life", paramLabel = "TIME",
            description = "of token: how long it may wait to be used, default 15m, at most 24h")
    private String life = "15m";

    @Mixin
    private ApiArguments api;

    @Option(names = "--json", description = "one JSON object per certificate on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public TrustCommand() {
    }

    @Override
    public Integer call() throws IOException {
        if (!ALL.contains(what)) {
            throw new UsageException("pageferry trust " + what + ": there are "
                    + String.join(", ", ALL));
        }
        if (WITH_WORD.contains(what) && word == null) {
            throw new UsageException("pageferry trust " + what + ": "
                    + (what.equals("join") ? "give the TOKEN, or - to read it from stdin"
                    : "name the HOST"));
        }
        if (!WITH_WORD.contains(what) && !what.equals("init") && word != null) {
            throw new UsageException("pageferry trust " + what + " takes no HOST");
        }
        TrustFolder trust = new TrustFolder(folder);
        Output output = new Output(System.out, System.err, json);
        CertificateWords words = new CertificateWords(output);
        AgentOfHost agent = new AgentOfHost(api, output);
        switch (what) {
            case "init" -> init(trust, words, agent);
            case "issue" -> words.tell("host", trust.issue(word, word, names()),
                    trust.certificate(word), trust.key(word));
            case "token" -> token(trust, words, agent);
            case "join" -> join(trust, words, agent);
            case "list" -> Issuance.of(trust).all().forEach(words::tell);
            case "revoke" -> revoke(trust, output);
            case "renew" -> words.tell("host", new Joining(trust).renew(
                    Optional.ofNullable(address)), trust.certificate(TrustFolder.OWN),
                    trust.key(TrustFolder.OWN));
            default -> show(trust, words);
        }
        return 0;
    }

    private HostNames names() {
        return HostNames.of(word, dns, addresses, uris);
    }

    private void init(TrustFolder trust, CertificateWords words, AgentOfHost agent)
            throws IOException {
        HostNames.requireName("--name", cluster);
        HostNames names = word == null ? null : names();
        words.tell("CA", trust.init(cluster), trust.certificate(TrustFolder.CA),
                trust.key(TrustFolder.CA));
        if (names != null) {
            words.tell("host", trust.issue(TrustFolder.OWN, word, names),
                    trust.certificate(TrustFolder.OWN), trust.key(TrustFolder.OWN));
            agent.takeUp(trust, "pageferry trust token HOST lets another one join");
        }
    }

    private void token(TrustFolder trust, CertificateWords words, AgentOfHost agent)
            throws IOException {
        Duration wait = Duration.ofNanos(Quantity.nanos(life));
        if (wait.isZero() || wait.compareTo(Issuance.LONGEST) > 0) {
            throw new UsageException("--life " + life + " is not in 1s to 24h");
        }
        HostNames names = names();
        trust.ca();
        JoinToken made = Issuance.of(trust).token(word, names,
                address == null ? agent.address(trust) : address, wait);
        words.tell(word, made, life);
        agent.seeIfItTakesHosts(made);
    }

    private void join(TrustFolder trust, CertificateWords words, AgentOfHost agent)
            throws IOException {
        X509Certificate made = new Joining(trust).join(JoinToken.parse(
                word.equals("-") ? lineOfStdin() : word));
        words.tell("host", made, trust.certificate(TrustFolder.OWN),
                trust.key(TrustFolder.OWN));
        agent.takeUp(trust, "then guests move between the hosts of this CA: pageferry receive"
                + " NAME --slot NAME here, pageferry migrate NAME --to HOST:4477 --slot NAME"
                + " there");
    }

    private static String lineOfStdin() throws IOException {
        String line = new BufferedReader(new InputStreamReader(System.in,
                StandardCharsets.US_ASCII)).readLine();
        if (line == null) {
            throw new UsageException("pageferry trust join -: no TOKEN came on stdin");
        }
        return line;
    }

    private void revoke(TrustFolder trust, Output output) throws IOException {
        int count = trust.revoke(word);
        Path list = trust.own().revocations();
        output.emit(Output.event("revoked").put("host", word).put("certificates", count)
                .put("list", list.toString()));
        output.human("revoked " + word + ": " + count + (count == 1 ? " certificate"
                : " certificates") + ", from now on agents on this host refuse it. Other hosts"
                + " learn it when they renew (pageferry trust renew), or copy " + list
                + " beside their ca.crt");
    }

    private static void show(TrustFolder trust, CertificateWords words) throws IOException {
        if (trust.hasOwn() && !trust.hasCa()) {
            words.tell("host", trust.host(TrustFolder.OWN), trust.certificate(TrustFolder.OWN),
                    trust.key(TrustFolder.OWN));
            return;
        }
        words.tell("CA", trust.ca(), trust.certificate(TrustFolder.CA),
                trust.key(TrustFolder.CA));
        for (String each : trust.shown()) {
            words.tell("host", trust.host(each), trust.certificate(each), trust.key(each));
        }
    }
}
