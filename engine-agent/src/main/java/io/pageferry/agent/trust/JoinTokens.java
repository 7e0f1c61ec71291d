package io.pageferry.agent.trust;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Tokens that were made and not forgotten yet, each in a file of its own beside the CA: who makes
 * one and who takes it are two processes. Any thread.
 */
final class JoinTokens {
    /** So many may wait to be used. */
    static final int MOST = 256;

    private static final String OPEN = ".token";
    private static final String USED = ".used";
    /** So long it is said of a token that it is too old; then it is forgotten. */
    private static final Duration REMEMBERED = Duration.ofDays(1);
    private static final Pattern ID = Pattern.compile("[0-9a-f]{" + 2 * JoinToken.ID_BYTES + "}");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SecureRandom CHANCE = new SecureRandom();

    private final Path folder;

    /**
     * A token, without what is secret of it.
     *
     * @param host  that may join by it
     * @param names that its certificate will have
     * @param until when it is too old
     */
    record Pending(String host, HostNames names, Instant until) { }

    JoinTokens(Path folder) {
        this.folder = folder;
    }

    /** Makes one for a host. */
    JoinToken make(Pending what, byte[] pin, String address) throws IOException {
        PrivateFiles.createFolders(folder);
        forgetOld();
        if (files(OPEN).size() >= MOST) {
            throw new GuestException(ErrorCode.HOST_FAILED, "there are " + MOST + " tokens that"
                    + " were not used", "wait until some are too old, or remove " + folder);
        }
        JoinToken made = new JoinToken(chance(JoinToken.ID_BYTES),
                chance(JoinToken.SECRET_BYTES), pin, address);
        ObjectNode kept = JSON.createObjectNode().put("host", what.host())
                .put("until", what.until().toString())
                .put("secret", HexFormat.of().formatHex(made.secret()));
        IssuedList.put(kept, what.names());
        Path file = file(HexFormat.of().formatHex(made.id()), OPEN);
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        PrivateFiles.replace(fresh, kept.toString().getBytes(StandardCharsets.UTF_8));
        Files.move(fresh, file);
        return made;
    }

    /**
     * Takes one, which cannot be taken again.
     *
     * @param id      names it
     * @param request what is asked by it
     * @param proof   over that
     * @return what it was made for
     * @throws GuestException where there is none, or it was used or is too old: said to those alone
     *                        who prove that they know its secret
     */
    Pending take(String id, byte[] request, byte[] proof) throws IOException {
        if (!ID.matcher(id).matches()) {
            throw unknown();
        }
        Optional<JsonNode> open = read(file(id, OPEN));
        JsonNode kept = open.or(() -> read(file(id, USED))).orElseThrow(JoinTokens::unknown);
        byte[] secret = HexFormat.of().parseHex(kept.path("secret").asText());
        if (!MessageDigest.isEqual(proof, JoinToken.proof(secret, request))) {
            throw unknown();
        }
        Pending what = pending(kept);
        if (open.isEmpty()) {
            throw used(what.host());
        }
        if (what.until().isBefore(Instant.now())) {
            throw refused("this token has expired, at " + what.until());
        }
        try {
            // One of several that come at once moves it; the others find nothing to move.
            Files.move(file(id, OPEN), file(id, USED));
        } catch (NoSuchFileException e) {
            throw used(what.host());
        }
        return what;
    }

    private static Pending pending(JsonNode kept) {
        return new Pending(kept.path("host").asText(), IssuedList.names(kept),
                Instant.parse(kept.path("until").asText()));
    }

    /** {@return those that can be used still} */
    List<Pending> open() throws IOException {
        List<Pending> all = new ArrayList<>();
        for (Path file : files(OPEN)) {
            read(file).map(JoinTokens::pending).filter(one -> one.until().isAfter(Instant.now()))
                    .ifPresent(all::add);
        }
        return all;
    }

    /** Takes back those of a host, and says how many there were. */
    int withdraw(String host) throws IOException {
        int count = 0;
        for (Path file : files(OPEN)) {
            if (read(file).map(JoinTokens::pending).filter(one -> one.host().equals(host))
                    .isPresent() && Files.deleteIfExists(file)) {
                count++;
            }
        }
        return count;
    }

    private void forgetOld() throws IOException {
        Instant old = Instant.now().minus(REMEMBERED);
        for (Path file : Stream.concat(files(OPEN).stream(), files(USED).stream()).toList()) {
            if (read(file).map(JoinTokens::pending).filter(one -> one.until().isAfter(old))
                    .isEmpty()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private List<Path> files(String kind) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(kind)).sorted().toList();
        }
    }

    private Path file(String id, String kind) {
        return folder.resolve(id + kind);
    }

    private static Optional<JsonNode> read(Path file) {
        try {
            return Optional.of(JSON.readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            // It is not there, or nobody can use it.
            return Optional.empty();
        }
    }

    private static GuestException unknown() {
        return refused("no such token is known here");
    }

    private static GuestException used(String host) {
        return new GuestException(ErrorCode.HOST_FAILED, "this token was used already",
                "if that was not you, somebody else is " + host + " now: pageferry trust revoke "
                + host + ", on the host of the CA, at once; pageferry trust token makes another"
                + " one there");
    }

    private static GuestException refused(String why) {
        return new GuestException(ErrorCode.HOST_FAILED, why,
                "have pageferry trust token make another one, on the host of the CA");
    }

    private static byte[] chance(int bytes) {
        byte[] some = new byte[bytes];
        CHANCE.nextBytes(some);
        return some;
    }
}
