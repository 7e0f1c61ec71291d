package io.pageferry.agent.cli.trust;

import io.pageferry.agent.trust.HostNames;
import io.pageferry.agent.trust.TrustFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The folder of a CA, as {@code pageferry trust} makes it. */
public final class TestTrust {
    private final Path folder;
    private final TrustFolder trust;

    /**
     * Makes a CA.
     *
     * @param folder of its own
     */
    public TestTrust(Path folder) throws IOException {
        this.folder = folder;
        this.trust = new TrustFolder(folder);
        trust.init("test CA");
    }

    /** Issues a certificate, or renews it with another key; no names are the loopback ones. */
    public TestTrust issue(String host, String... dns) throws IOException {
        trust.issue(host, host, HostNames.of(host, List.of(dns), List.of(), List.of()));
        return this;
    }

    /** Where a file of the CA is. */
    public Path file(String name) {
        return folder.resolve(name);
    }

    /** The options of a command that has the certificate of a host. */
    public String[] options(String host) {
        return new String[] {"--tls-cert", file(host + ".crt").toString(),
            "--tls-key", file(host + ".key").toString(), "--tls-ca", file("ca.crt").toString()};
    }
}
