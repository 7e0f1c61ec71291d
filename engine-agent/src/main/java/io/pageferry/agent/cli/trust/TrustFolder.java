package io.pageferry.agent.cli.trust;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** A folder with a CA and the certificates that it issued. */
final class TrustFolder {
    /** Names the files of the CA. */
    static final String CA = "ca";
    private static final String CERTIFICATE = ".crt";
    private static final String KEY = ".key";

    private final Path folder;

    TrustFolder(Path folder) {
        this.folder = folder;
    }

    Path certificate(String name) {
        return folder.resolve(name + CERTIFICATE);
    }

    Path key(String name) {
        return folder.resolve(name + KEY);
    }

    /** Makes a CA where there is none: another key would make all that it issued worthless. */
    X509Certificate init(String cluster) throws IOException {
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

    /** Issues a certificate, in place of an earlier one of the same host: that is a renewal. */
    X509Certificate issue(String host, HostNames names) throws IOException {
        TlsFiles.Material ca = read(CA);
        try {
            KeyPair keys = CertificateMaker.keys();
            X509Certificate made = CertificateMaker.host(host, names, keys.getPublic(),
                    ca.chain().getFirst(), ca.key());
            write(host, keys, made);
            return made;
        } catch (GeneralSecurityException e) {
            throw new IOException("no certificate can be made: " + e.getMessage(), e);
        }
    }

    /** The key first: who sees both halves of a pair in between keeps the old pair. */
    private void write(String name, KeyPair keys, X509Certificate made)
            throws IOException, GeneralSecurityException {
        PemFile.write(key(name), "PRIVATE KEY", keys.getPrivate().getEncoded(), true);
        PemFile.write(certificate(name), "CERTIFICATE", made.getEncoded(), false);
    }

    private TlsFiles.Material read(String name) throws IOException {
        if (!PemFile.isThere(certificate(CA))) {
            throw new GuestException(ErrorCode.HOST_FAILED, "there is no CA in " + folder,
                    "pageferry trust init --dir " + folder + " makes one");
        }
        try {
            return new TlsFiles(certificate(name), key(name), certificate(CA)).read();
        } catch (TlsException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "");
        }
    }

    X509Certificate ca() throws IOException {
        return read(CA).chain().getFirst();
    }

    /** The names of hosts with a certificate here, in order. */
    List<String> hosts() throws IOException {
        List<String> hosts = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(CERTIFICATE) && !name.equals(CA + CERTIFICATE))
                    .forEach(name -> hosts.add(
                            name.substring(0, name.length() - CERTIFICATE.length())));
        }
        Collections.sort(hosts);
        return hosts;
    }

    X509Certificate host(String name) throws IOException {
        return read(name).chain().getFirst();
    }
}
