package io.pageferry.bench.move;

import io.pageferry.bench.Folders;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** A certificate for both ends of a loopback, its own CA, made by the JDK's keytool. */
public final class LoopbackCertificate implements AutoCloseable {
    private static final String ALIAS = "bench";
    private static final String PASSWORD = "not-a-secret";

    private final Path folder;

    /**
     * Makes one, in a folder of its own.
     *
     * @throws IOException when keytool does not
     */
    public LoopbackCertificate() throws IOException {
        this.folder = Folders.temporary();
        Path store = folder.resolve("store.p12");
        run(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", ALIAS, "-keyalg", "EC", "-groupname", "secp256r1",
                "-dname", "CN=loopback", "-ext", "san=dns:localhost,ip:127.0.0.1", "-validity",
                "2", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass",
                PASSWORD));
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, PASSWORD.toCharArray());
            write("crt", "CERTIFICATE", keys.getCertificate(ALIAS).getEncoded());
            write("key", "PRIVATE KEY",
                    keys.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IOException("what keytool made cannot be read", e);
        }
    }

    private void write(String file, String what, byte[] bytes) throws IOException {
        Files.writeString(folder.resolve(file), "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + what
                + "-----\n");
    }

    private static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("keytool failed: " + words.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** {@return the options of either end} */
    public TlsOptions options() {
        Path certificate = folder.resolve("crt");
        return TlsOptions.of(new TlsFiles(certificate, folder.resolve("key"), certificate),
                Set.of());
    }

    /** {@return the same as options of a command} */
    public List<String> words() {
        String certificate = folder.resolve("crt").toString();
        return List.of("--tls-cert", certificate, "--tls-key", folder.resolve("key").toString(),
                "--tls-ca", certificate);
    }

    /** Deletes the files. */
    @Override
    public void close() throws IOException {
        Folders.delete(folder);
    }
}
