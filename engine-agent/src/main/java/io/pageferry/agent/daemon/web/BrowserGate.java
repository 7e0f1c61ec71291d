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
 * user of the host can connect and listen: whoever shows a token that was given out, once and in
 * time, gets a folder of a secret name and a cookie for that folder alone, and whoever has both may
 * do what the one may who asked for the token.
 *
 * <p>A browser keeps cookies by host and folder, and not by port: one for all of this host would go
 * to the server of any other user whom the browser visits.
 *
 * <p>Any thread.
 */
public final class BrowserGate implements HttpHandler {
    /** How long a token that was given out can be used. */
    public static final long TOKEN_NANOS = 120_000_000_000L;

    /** Tokens and sessions that are kept; of more, the oldest are forgotten. */
    static final int MOST = 64;

    private static final String COOKIE = "pageferry";
    private static final String FOLDERS = "/s/";
    private static final String TEXT = "text/plain; charset=utf-8";

    private final HttpHandler behind;
    private final LongSupplier nanoTime;
    /** When each ends, the oldest first. Guarded by this. */
    private final SequencedMap<UUID, Long> tokens = new LinkedHashMap<>();
    /** The one that was asked by last is the last. Guarded by this. */
    private final SequencedSet<Session> sessions = new LinkedHashSet<>();

    /** A browser that was let in: its folder's name, and its cookie. Neither is enough. */
    private record Session(UUID folder, UUID cookie) {
        static Session random() {
            return new Session(UUID.randomUUID(), UUID.randomUUID()); // from a secure source
        }

        String path() {
            return FOLDERS + folder + "/";
        }

        boolean is(UUID shownFolder, UUID shownCookie) {
            return Message.sameToken(folder, shownFolder)
                    & Message.sameToken(cookie, shownCookie);
        }
    }

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
        int end = call.path().indexOf('/', FOLDERS.length());
        if (!call.path().startsWith(FOLDERS) || end < 0
                || !isLetIn(id(call.path().substring(FOLDERS.length(), end)), call)) {
            return refused(401, "run pageferry dashboard, and open the address that it prints");
        }
        String path = call.path().substring(end);
        return behind.answer(new HttpCall(call.method(), path, call.query(), call.headers(),
                call.body(), call.caller()));
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
        Session session = Session.random();
        sessions.addLast(session);
        Map<String, String> headers = new HashMap<>(DashboardFiles.HEADERS);
        headers.put("Set-Cookie", COOKIE + "=" + session.cookie()
                + "; HttpOnly; SameSite=Strict; Path=" + session.path());
        headers.put("Location", session.path());
        return new Whole(303, TEXT, headers, new byte[0]);
    }

    private synchronized boolean isLetIn(UUID folder, HttpCall call) {
        for (String one : call.headers().getOrDefault("cookie", "").split(";")) {
            String[] pair = one.strip().split("=", 2);
            UUID shown = pair.length == 2 && pair[0].equals(COOKIE) ? id(pair[1]) : null;
            Optional<Session> session = folder == null || shown == null ? Optional.empty()
                    : sessions.stream().filter(known -> known.is(folder, shown)).findFirst();
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
