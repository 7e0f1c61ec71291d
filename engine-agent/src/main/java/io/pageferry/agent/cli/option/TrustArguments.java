package io.pageferry.agent.cli.option;

import io.pageferry.agent.link.PeerTrust;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** How peers show that they belong: options of every command that speaks with one. */
public final class TrustArguments {
    @Option(names = "--tls-cert", paramLabel = "FILE",
            description = "the own certificate in PEM: mutual TLS 1.3, with all three files")
    private Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE",
            description = "its private key in PEM, PKCS #8 without a password")
    private Path key;

    @Option(names = "--tls-ca", paramLabel = "FILE",
            description = "the CA that signed the certificates of the peers")
    private Path ca;

    @Option(names = "--allow-peer", paramLabel = "NAME", description = "a DNS name or URI that the"
            + " peer's certificate must have, or one of several; default: any of the CA")
    private List<String> allowed = new ArrayList<>();

    @Option(names = "--token-file", paramLabel = "FILE", description = "a secret that both sides"
            + " have, of which each proves to the other that it knows it; for another user of the"
            + " same host, and no encryption")
    private Path token;

    /** Made by the command line. */
    public TrustArguments() {
    }

    /**
     * Reads and checks the files.
     *
     * @return how a peer is known
     * @throws UsageException where something is missing, or a file is not what it should be
     */
    public PeerTrust trust() {
        return new PeerTrust(tls(), Optional.ofNullable(token).map(SecretFile::read));
    }

    private Optional<TlsOptions> tls() {
        long given = Stream.of(certificate, key, ca).filter(Objects::nonNull).count();
        if (given == 0 && !allowed.isEmpty()) {
            throw new UsageException("--allow-peer names certificates: give --tls-cert, --tls-key"
                    + " and --tls-ca too");
        }
        if (given == 0) {
            return Optional.empty();
        }
        if (given < 3) {
            throw new UsageException("--tls-cert, --tls-key and --tls-ca belong together: "
                    + missing() + " is missing");
        }
        TlsFiles files = new TlsFiles(certificate, key, ca);
        try {
            files.read();
        } catch (TlsException e) {
            throw new UsageException("--tls-" + e.part().label() + " " + e.getMessage());
        }
        return Optional.of(TlsOptions.of(files, Set.copyOf(allowed)));
    }

    private String missing() {
        return certificate == null ? "--tls-cert" : key == null ? "--tls-key" : "--tls-ca";
    }
}
