package io.pageferry.agent.cli.option;

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

/** The options of TLS, which every command that speaks with a peer has. */
public final class TlsArguments {
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

    @Option(names = "--token-file", hidden = true)
    private Path token;

    /** Made by the command line. */
    public TlsArguments() {
    }

    /**
     * Reads and checks the files.
     *
     * @return how TLS is to be used; empty where it was not asked for
     * @throws UsageException where something is missing, or a file is not what it should be
     */
    public Optional<TlsOptions> options() {
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
