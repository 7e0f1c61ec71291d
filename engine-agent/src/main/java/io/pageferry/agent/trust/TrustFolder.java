package io.pageferry.agent.trust;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A folder with what a host has of a CA: its own certificate, the CA's, and on the CA's host its
 * key and the certificates that it issued. Any thread.
 */
public final class TrustFolder {
    /** Where an agent of a package looks. */
    public static final Path USUAL = Path.of("/etc/pageferry/trust");

    /** Names the files of the CA. */
    public static final String CA = "ca";

    /** Names the files of the host whose folder it is. */
    public static final String OWN = "host";

    static final Set<String> RESERVED = Set.of(CA, OWN);

    private static final String CERTIFICATE = ".crt";
    private static final String KEY = ".key";
    private static final String ISSUED = "issued";
    private static final String TOKENS = "tokens";
    private static final String AGENT = "ca.agent";
    private static final String LOCK = "lock";

    private final Path folder;

    /**
     * Names a folder; nothing is read yet.
     *
     * @param folder its path
     */
    public TrustFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Names a certificate's file.
     *
     * @param name of a host, {@link #CA} or {@link #OWN}
     * @return its path
     */
    public Path certificate(String name) {
        return folder.resolve(name + CERTIFICATE);
    }

    /**
     * Names a key's file.
     *
     * @param name of a host, {@link #CA} or {@link #OWN}
     * @return its path
     */
    public Path key(String name) {
        return folder.resolve(name + KEY);
    }

    /** {@return the files of this host, as a peer's side has them} */
    public TlsFiles own() {
        return files(OWN);
    }

    /** {@return whether this host has a certificate here} */
    public boolean hasOwn() {
        return PemFile.isThere(certificate(OWN));
    }

    /** {@return whether the CA's key is here, so that others can join} */
    public boolean hasCa() {
        return PemFile.isThere(key(CA));
    }

    private TlsFiles files(String name) {
        return new TlsFiles(certificate(name), key(name), certificate(CA));
    }

    private IssuedList issued() {
        return new IssuedList(folder.resolve(ISSUED));
    }

    /** Who revokes, and who issues, has it: what is issued is revoked, or is not issued. */
    TrustLock lock() {
        return new TrustLock(folder.resolve(LOCK));
    }

    JoinTokens tokens() {
        return new JoinTokens(folder.resolve(TOKENS));
    }

    /**
     * Makes a CA where there is none: another key would make all that it issued worthless.
     *
     * @param cluster its name
     * @return its certificate
     * @throws IOException with one line, where one is there or cannot be written
     */
    public X509Certificate init(String cluster) throws IOException {
        requirePrivate();
        for (Path file : List.of(certificate(CA), key(CA))) {
            if (PemFile.isThere(file)) {
                throw new GuestException(ErrorCode.HOST_FAILED, file + " is there already: a"
                        + " second CA would make worthless what the first one issued",
                        "give another --dir, or remove the files of the old one");
            }
        }
        PrivateFiles.createFolders(folder);
        try {
            KeyPair keys = CertificateMaker.keys();
            X509Certificate ca = CertificateMaker.ca(cluster, keys);
            write(CA, keys, ca);
            return ca;
        } catch (GeneralSecurityException e) {
            throw new IOException("no CA can be made: " + e.getMessage(), e);
        }
    }

    /**
     * Issues a certificate, in place of an earlier one of the same files: that is a renewal.
     *
     * @param file  names the files: the host, or {@link #OWN}
     * @param host  to whom
     * @param names that will be in it
     * @return the certificate
     * @throws IOException with one line, where there is no CA or nothing can be written
     */
    public X509Certificate issue(String file, String host, HostNames names) throws IOException {
        ca();
        try {
            KeyPair keys = CertificateMaker.keys();
            return lock().holding(() -> {
                X509Certificate made = sign(host, names, keys.getPublic());
                write(file, keys, made);
                return made;
            });
        } catch (GeneralSecurityException e) {
            throw new IOException("no certificate can be made: " + e.getMessage(), e);
        }
    }

    /** Signs a key, and notes that before anybody has the certificate. */
    X509Certificate sign(String host, HostNames names, PublicKey key)
            throws IOException, GeneralSecurityException {
        return lock().holding(() -> {
            TlsFiles.Material ca = read(CA);
            X509Certificate made = CertificateMaker.host(host, names, key,
                    ca.chain().getFirst(), ca.key());
            issued().add(IssuedList.Entry.of(host, names, made));
            return made;
        });
    }

    /**
     * Both are on the disk before one of them takes its place: a full disk costs no pair. The key
     * first: who sees both halves of a pair in between keeps the old pair.
     */
    void write(String name, KeyPair keys, X509Certificate made)
            throws IOException, GeneralSecurityException {
        lock().holding(() -> {
            PemFile.prepare(key(name), "PRIVATE KEY", keys.getPrivate().getEncoded(), true);
            PemFile.prepare(certificate(name), "CERTIFICATE", made.getEncoded(), false);
            PemFile.put(key(name));
            PemFile.put(certificate(name));
            return name;
        });
    }

    /** Who writes to it gives certificates to whom he likes, or has peers believe another CA. */
    void requirePrivate() throws IOException {
        if (Files.exists(folder) && PrivateFiles.othersMayWrite(folder)) {
            throw new GuestException(ErrorCode.HOST_FAILED, folder + " can be written to by other"
                    + " users, who could put a CA of their own there", "chmod go-w " + folder);
        }
    }

    private TlsFiles.Material read(String name) throws IOException {
        if (!PemFile.isThere(certificate(CA))) {
            throw new GuestException(ErrorCode.HOST_FAILED, "there is no CA in " + folder,
                    "pageferry trust init --dir " + folder + " makes one");
        }
        if (!hasCa() && !name.equals(OWN)) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the CA's key is not in " + folder
                    + ": this host joined another one's CA", "do it on that host");
        }
        try {
            return files(name).read();
        } catch (TlsException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "");
        }
    }

    /**
     * Reads the CA's certificate, and sees that its key is here too.
     *
     * @return it
     * @throws IOException with one line, where there is none
     */
    public X509Certificate ca() throws IOException {
        return read(CA).chain().getFirst();
    }

    /** The names of hosts with a certificate here, in order. */
    private List<String> hosts() throws IOException {
        List<String> hosts = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(CERTIFICATE))
                    .map(name -> name.substring(0, name.length() - CERTIFICATE.length()))
                    .filter(name -> !name.equals(CA)).forEach(hosts::add);
        }
        Collections.sort(hosts);
        return hosts;
    }

    /**
     * Reads the certificates of hosts whose files are here.
     *
     * @return the names of their files, in order
     * @throws IOException with one line, where there is no CA
     */
    public List<String> shown() throws IOException {
        ca();
        return hosts();
    }

    /**
     * Reads a host's certificate.
     *
     * @param name of its files
     * @return it
     * @throws IOException with one line, where it cannot be read
     */
    public X509Certificate host(String name) throws IOException {
        return read(name).chain().getFirst();
    }

    /** What the CA issued, the oldest first. */
    List<IssuedList.Entry> allIssued() throws IOException {
        ca();
        return issued().all();
    }

    /** The certificates that were revoked. */
    Optional<X509CRL> revoked() throws IOException {
        return read(CA).revoked();
    }

    /**
     * Revokes all that a host has, and takes back its tokens.
     *
     * @param host names it
     * @return how many certificates there were; 0 where only a token waited
     * @throws IOException with one line, where there is nothing of it
     */
    public int revoke(String host) throws IOException {
        ca();
        try {
            return lock().holding(() -> revokeAlone(host));
        } catch (GeneralSecurityException e) {
            throw new IOException("no list of what is revoked can be made: " + e.getMessage(), e);
        }
    }

    private int revokeAlone(String host) throws IOException, GeneralSecurityException {
        TlsFiles.Material ca = read(CA);
        int tokens = tokens().withdraw(host);
        Set<BigInteger> serials = Issuance.of(this).valid(host);
        if (serials.isEmpty() && tokens == 0) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the CA in " + folder + " issued no"
                    + " certificate to " + host + " that is still valid",
                    "pageferry trust list names what it issued");
        }
        if (serials.isEmpty()) {
            return 0;
        }
        writeRevoked(CertificateMaker.revocations(ca.revoked(), serials,
                ca.chain().getFirst(), ca.key()).getEncoded());
        return serials.size();
    }

    /** Takes a list over; whoever reads it looks at its signature. */
    void writeRevoked(byte[] list) throws IOException {
        PemFile.write(own().revocations(), "X509 CRL", list, false);
    }

    /** Keeps the files that a host which joined has, its own certificate last. */
    void join(KeyPair keys, X509Certificate made, X509Certificate ca, String agent)
            throws IOException, GeneralSecurityException {
        PrivateFiles.createFolders(folder);
        PemFile.write(certificate(CA), "CERTIFICATE", ca.getEncoded(), false);
        PrivateFiles.replace(folder.resolve(AGENT), agent.getBytes(StandardCharsets.UTF_8));
        write(OWN, keys, made);
    }

    /** {@return where the CA's agent is, of a host that joined} */
    Optional<String> agent() throws IOException {
        Path file = folder.resolve(AGENT);
        return Files.exists(file) ? Optional.of(Files.readString(file).strip())
                : Optional.empty();
    }

    /** {@return the folder} */
    public Path path() {
        return folder;
    }

    static boolean isOver(Instant until) {
        return until.isBefore(Instant.now());
    }
}
