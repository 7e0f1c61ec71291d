package io.pageferry.agent.cli.trust;

import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry trust}: a CA in a folder, and the certificates that it issues. */
@Command(name = "trust", description = "makes a CA and certificates for TLS")
public final class TrustCommand implements Callable<Integer> {
    private static final List<String> LATER = List.of("token", "join", "list", "revoke", "renew");

    @Parameters(index = "0", paramLabel = "init|issue|show", description = "init: make a CA;"
            + " issue: make a certificate of HOST, or make it anew; show: tell what is there")
    private String what;

    @Parameters(index = "1", arity = "0..1", paramLabel = "HOST",
            description = "of issue: names the certificate and its files")
    private String host;

    @Option(names = "--dir", paramLabel = "DIR", description = "folder of the CA and of what it"
            + " issues; what is secret in it is readable by its owner alone")
    private Path folder;

    @Option(names = "--name", paramLabel = "CLUSTER", description = "of init: the CA's name")
    private String cluster = "Pageferry CA";

    @Option(names = "--dns", paramLabel = "NAME",
            description = "of issue: a name by which peers reach the host, or one of several")
    private List<String> dns = new ArrayList<>();

    @Option(names = "--ip", paramLabel = "ADDRESS",
            description = "of issue: an address of the host; without --dns and --ip: localhost"
                    + " and 127.0.0.1")
    private List<String> addresses = new ArrayList<>();

    @Option(names = "--uri", paramLabel = "URI",
            description = "of issue: a name for --allow-peer, as spiffe://cluster/host")
    private List<String> uris = new ArrayList<>();

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
        if (LATER.contains(what)) {
            throw new UsageException("pageferry trust " + what + " is not in this version");
        }
        if (!List.of("init", "issue", "show").contains(what)) {
            throw new UsageException("pageferry trust " + what + ": there are init, issue, show");
        }
        if (folder == null) {
            throw new UsageException("pageferry trust " + what + ": --dir says where the CA is");
        }
        if (what.equals("issue") == (host == null)) {
            throw new UsageException(host == null ? "pageferry trust issue: name the HOST"
                    : "pageferry trust " + what + " takes no HOST");
        }
        TrustFolder trust = new TrustFolder(folder);
        CertificateWords words = new CertificateWords(new Output(System.out, System.err, json));
        switch (what) {
            case "init" -> init(trust, words);
            case "issue" -> issue(trust, words);
            default -> show(trust, words);
        }
        return 0;
    }

    private void init(TrustFolder trust, CertificateWords words) throws IOException {
        HostNames.requireName("--name", cluster);
        words.tell("CA", trust.init(cluster), trust.certificate(TrustFolder.CA),
                trust.key(TrustFolder.CA));
    }

    private void issue(TrustFolder trust, CertificateWords words) throws IOException {
        HostNames names = HostNames.of(host, dns, addresses, uris);
        words.tell("host", trust.issue(host, names), trust.certificate(host), trust.key(host));
    }

    private static void show(TrustFolder trust, CertificateWords words) throws IOException {
        words.tell("CA", trust.ca(), trust.certificate(TrustFolder.CA),
                trust.key(TrustFolder.CA));
        for (String each : trust.hosts()) {
            words.tell("host", trust.host(each), trust.certificate(each), trust.key(each));
        }
    }
}
