package io.pageferry.agent.embed;

import io.pageferry.agent.host.process.InProcess;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.transport.netty.SharedSecret;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What migrations to and from here have in common. One thread; each method returns the builder
 * itself.
 *
 * @param <B> the builder
 */
public abstract sealed class MigrationBuilder<B extends MigrationBuilder<B>>
        permits OutgoingMigration.Builder, IncomingMigration.Builder {
    /** Null where the transport is the embedder's own. */
    final SocketAddress address;
    String identity;
    int channels;
    long settleNanos;
    long reconnectNanos;
    Path stateDirectory;
    MigrationListener listener = MigrationListener.silent();
    boolean insecure;
    private TlsFiles files;
    private Set<String> allowed = Set.of();
    private SharedSecret secret;
    boolean warmedUp;

    MigrationBuilder(Object guest, SocketAddress address) {
        this.identity = InProcess.nameOf(Objects.requireNonNull(guest, "guest"));
        this.address = address;
    }

    abstract B self();

    /**
     * Names the guest on this host, for the lock that keeps two migrations of it, or into it,
     * apart. Default: this process and the guest object.
     *
     * @param name for example the UUID of the machine
     * @return this
     */
    public final B identity(String name) {
        identity = Objects.requireNonNull(name, "name");
        return self();
    }

    /**
     * Bounds the data connections beside the control connection: a source asks for so many,
     * default 1; a target grants no more, default 64.
     *
     * @param count 1 to 64
     * @return this
     */
    public final B channels(int count) {
        channels = Embedded.channels(count);
        return self();
    }

    /**
     * Bounds how long a lost link is tried again before the grant, the guest running meanwhile; at
     * the target, how long a half-filled image is kept for that.
     *
     * @param window zero for not at all, default 30 s
     * @return this
     */
    public final B reconnectWindow(Duration window) {
        reconnectNanos = Embedded.nanos(window);
        return self();
    }

    /**
     * Bounds the wait for the other side after a grant. The source asks for the target's word for
     * so long, its guest paused, before it is in doubt; the target waits for the source to
     * acknowledge its last word, its guest running.
     *
     * @param window default 30 s
     * @return this
     */
    public final B settleWindow(Duration window) {
        settleNanos = Embedded.nanos(window);
        return self();
    }

    /**
     * Sets where journals and locks are; any number of migrations and processes share one. It must
     * survive a crash of the host: no tmpfs.
     *
     * @param folder made where it is not there; default {@code pageferry} in the user's state
     *               home
     * @return this
     */
    public final B stateDirectory(Path folder) {
        stateDirectory = Objects.requireNonNull(folder, "folder");
        return self();
    }

    /**
     * Sets the listener, called on the thread that runs the migration. An exception that it throws
     * goes to that thread's {@link Thread.UncaughtExceptionHandler}, and the migration goes on; an
     * {@link Error} goes through it.
     *
     * @param hears returns quickly
     * @return this
     */
    public final B listener(MigrationListener hears) {
        listener = new ShieldedListener(Objects.requireNonNull(hears, "hears"));
        return self();
    }

    /**
     * Accepts another side that is not on this host, over a connection that any host on the way can
     * read and change; a target trusts every peer that connects. See {@link OutgoingMigration} and
     * {@link IncomingMigration} first.
     *
     * @return this
     */
    public final B insecure() {
        insecure = true;
        return self();
    }

    /**
     * Encrypts every connection by TLS 1.3 and lets only peers in whose certificate a CA signed:
     * both sides need it. The target's certificate must name the host that the source connects to.
     * The files are in PEM, and are read again when they change. Not for unix sockets, nor for a
     * transport of the embedder's own.
     *
     * @param certificate the own one
     * @param key         its private key, PKCS #8, not encrypted
     * @param ca          the CA that signed the certificates of the peers
     * @return this
     */
    public final B tls(Path certificate, Path key, Path ca) {
        files = new TlsFiles(Objects.requireNonNull(certificate, "certificate"),
                Objects.requireNonNull(key, "key"), Objects.requireNonNull(ca, "ca"));
        return self();
    }

    /**
     * Lets only peers in whose certificate has one of these names; default: any of the CA.
     *
     * @param names DNS names and URIs, compared to the letter
     * @return this
     */
    public final B allowPeers(String... names) {
        allowed = Set.of(names);
        return self();
    }

    /**
     * Lets only peers in that know a secret, which is proved on each connection and never sent:
     * both sides need it. Without {@link #tls} the connection stays readable. On one host it takes
     * the place of the rule that a peer is of the same user or root. Not for a transport of the
     * embedder's own.
     *
     * @param bytes 16 to 1024 of them, copied
     * @return this
     * @throws IllegalArgumentException when they are fewer or more
     */
    public final B secret(byte[] bytes) {
        secret = new SharedSecret(bytes);
        return self();
    }

    /** Checks the files and the address; for build(). */
    final PeerTrust trust() {
        Embedded.requireAddress(address, insecure || files != null, files != null);
        if (address == null && (files != null || secret != null)) {
            throw new IllegalArgumentException((files != null ? "tls()" : "secret()")
                    + " is not for a transport of one's own");
        }
        return new PeerTrust(tls(), Optional.ofNullable(secret));
    }

    private Optional<TlsOptions> tls() {
        if (files == null) {
            if (!allowed.isEmpty()) {
                throw new IllegalArgumentException("allowPeers() names certificates: tls() is"
                        + " missing");
            }
            return Optional.empty();
        }
        try {
            files.read();
        } catch (TlsException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        return Optional.of(TlsOptions.of(files, allowed));
    }

    /**
     * Moves a scratch guest inside this process first: a cold JVM else spends several times the
     * downtime on loading and compiling. Takes up to some seconds and 128 MiB before the guest is
     * touched, or a peer is answered; worth it in a process that has moved nothing yet. Needs a JVM
     * that was started with {@code --enable-native-access=io.pageferry.agent} ({@code ALL-UNNAMED}
     * on the class path); without, the listener gets one line and nothing is warmed up.
     *
     * @return this
     */
    public final B warmedUp() {
        warmedUp = true;
        return self();
    }
}
