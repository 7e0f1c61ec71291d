package io.pageferry.agent.cli.option;

import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The files with which a command shows who it is, and knows whom it speaks to. */
public final class TlsFileArguments {
    @Option(names = "--tls-cert", paramLabel = "FILE",
            description = "the own certificate in PEM: mutual TLS 1.3, with all three files")
    private Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE",
            description = "its private key in PEM, PKCS #8 without a password")
    private Path key;

    @Option(names = "--tls-ca", paramLabel = "FILE",
            description = "the CA that signed the certificates of the peers")
    private Path ca;

    /** Made by the command line. */
    public TlsFileArguments() {
    }

    /** {@return whether one of them is given} */
    public boolean isGiven() {
        return Stream.of(certificate, key, ca).anyMatch(Objects::nonNull);
    }

    /**
     * Reads and checks the files.
     *
     * @return they; empty where none is given
     * @throws UsageException where one is missing, or is not what it should be
     */
    public Optional<TlsFiles> files() {
        if (!isGiven()) {
            return Optional.empty();
        }
        if (certificate == null || key == null || ca == null) {
            throw new UsageException("--tls-cert, --tls-key and --tls-ca belong together: "
                    + missing() + " is missing");
        }
        TlsFiles files = new TlsFiles(certificate, key, ca);
        try {
            files.read();
        } catch (TlsException e) {
            throw new UsageException("--tls-" + e.part().label() + " " + e.getMessage());
        }
        return Optional.of(files);
    }

    private String missing() {
        return certificate == null ? "--tls-cert" : key == null ? "--tls-key" : "--tls-ca";
    }
}
