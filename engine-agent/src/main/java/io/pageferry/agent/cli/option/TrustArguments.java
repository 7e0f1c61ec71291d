package io.pageferry.agent.cli.option;

import io.pageferry.agent.link.PeerTrust;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How peers show that they belong: options of every command that speaks with one. */
public final class TrustArguments {
    @Mixin
    private TlsFileArguments files;

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
        return trust(Optional.empty());
    }

    /**
     * Does the same for a command that knows files of this host besides.
     *
     * @param otherwise what is used where none is given; they were read
     * @return how a peer is known
     * @throws UsageException as above
     */
    public PeerTrust trust(Optional<TlsFiles> otherwise) {
        Optional<TlsFiles> used = files().or(() -> otherwise);
        if (used.isEmpty() && !allowed.isEmpty()) {
            throw new UsageException("--allow-peer names certificates: give --tls-cert, --tls-key"
                    + " and --tls-ca too");
        }
        return new PeerTrust(used.map(one -> TlsOptions.of(one, Set.copyOf(allowed))),
                Optional.ofNullable(token).map(SecretFile::read));
    }

    /**
     * Reads and checks the files alone.
     *
     * @return they; empty where none is given
     * @throws UsageException as above
     */
    public Optional<TlsFiles> files() {
        return files.files();
    }

    /** {@return whether files of TLS are given} */
    public boolean hasFiles() {
        return files.isGiven();
    }
}
