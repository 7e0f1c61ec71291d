package io.pageferry.agent.daemon.web;

import io.pageferry.core.link.Message;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * Stands before the dashboard and the API where a browser comes to them over loopback, where every
 * user of the host can connect: whoever shows a token that was given out, once and in time, gets a
 * cookie, and whoever has that may do what the one may who asked for the token.
 *
 * <p>Any thread.
 */
public final class BrowserGate implements HttpHandler {
    /** How long a token that was given out can be used. */
    public static final long TOKEN_NANOS = 120_000_000_000L;

    /** Tokens and sessions that are kept; of more, the oldest are forgotten. */
    static final int MOST = 64;

    private static final String COOKIE = "pageferry";
    private static final String TEXT = "text/plain; charset=utf-8";

    private final HttpHandler behind;
    private final LongSupplier nanoTime;
    /** When each ends, the oldest first. Guarded by this. */
    private final SequencedMap<UUID, Long> tokens = new LinkedHashMap<>();
    /** The one that was asked by last is the last. Guarded by this. */
    private final SequencedSet<UUID> sessions = new LinkedHashSet<>();

    /**
     * Makes a gate.
     *
     * @param behind   answers who was let in
     * @param nanoTime monotonic clock
     */
    public BrowserGate(HttpHandler behind, LongSupplier nanoTime) {
        this.behind = behind;
        this.nanoTime = nanoTime;
    }

    /**
     * Gives out a token, for whoever may use the API.
     *
     * @return the path with which a browser is let in, once, within two minutes
     */
    public synchronized String give() {
        long now = nanoTime.getAsLong();
        tokens.values().removeIf(until -> until - now < 0);
        if (tokens.size() == MOST) {
            tokens.pollFirstEntry();
        }
        UUID token = UUID.randomUUID(); // from a secure source
        tokens.put(token, now + TOKEN_NANOS);
        return "/open?token=" + token;
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        if (!isOurs(call)) {
            return refused(403, "this is not the address of the dashboard");
        }
        if (call.path().equals("/open")) {
            return open(call);
        }
        if (!isLetIn(call)) {
            return refused(401, "run pageferry dashboard, and open the address that it prints");
        }
        return behind.answer(call);
    }

    /** A page of another name must neither reach this by its own name nor send anything here. */
    private static boolean isOurs(HttpCall call) {
        String host = call.headers().getOrDefault("host", "");
        String name = host.replaceFirst(":\\d{1,5}$", "");
        String origin = call.headers().get("origin");
        return (name.equals("127.0.0.1") || name.equals("localhost") || name.equals("[::1]"))
                && (origin == null || origin.equals("http://" + host));
    }

    private synchronized HttpAnswer open(HttpCall call) {
        UUID token = id(call.query().get("token"));
        Long until = token == null ? null : tokens.remove(token);
        if (until == null || until - nanoTime.getAsLong() < 0) {
            return refused(401, "this address was used, or is older than two minutes: run pageferry"
                    + " dashboard again");
        }
        if (sessions.size() == MOST) {
            sessions.removeFirst();
        }
        UUID session = UUID.randomUUID();
        sessions.addLast(session);
        Map<String, String> headers = new HashMap<>(DashboardFiles.HEADERS);
        headers.put("Set-Cookie", COOKIE + "=" + session + "; HttpOnly; SameSite=Strict; Path=/");
        headers.put("Location", "/");
        return new Whole(303, TEXT, headers, new byte[0]);
    }

    private synchronized boolean isLetIn(HttpCall call) {
        for (String one : call.headers().getOrDefault("cookie", "").split(";")) {
            String[] pair = one.strip().split("=", 2);
            UUID shown = pair.length == 2 && pair[0].equals(COOKIE) ? id(pair[1]) : null;
            Optional<UUID> session = shown == null ? Optional.empty() : sessions.stream()
                    .filter(known -> Message.sameToken(known, shown)).findFirst();
            if (session.isPresent()) {
                sessions.addLast(session.get());
                return true;
            }
        }
        return false;
    }

    private static UUID id(String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static HttpAnswer refused(int status, String why) {
        return new Whole(status, TEXT, DashboardFiles.HEADERS,
                (why + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
