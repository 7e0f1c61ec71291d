package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.frame.Offer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The migrations of a capture, by what names them. */
final class Sessions {
    private final Map<UUID, Session> byMigration = new HashMap<>();
    private final Map<UUID, Session> byToken = new HashMap<>();
    private final boolean fromSource;
    private boolean blind;

    /** Takes whether the capture is of the side that opens connections. */
    Sessions(boolean fromSource) {
        this.fromSource = fromSource;
    }

    boolean isOfSource() {
        return fromSource;
    }

    Session begin(Offer offer, Connection control) {
        Session session = new Session(this, offer, control);
        byMigration.put(offer.migration(), session);
        return session;
    }

    void welcomed(Session session) {
        byToken.put(session.token(), session);
    }

    Optional<Session> ofMigration(UUID migration) {
        return Optional.ofNullable(byMigration.get(migration)).filter(Session::isWelcomed);
    }

    Optional<Session> ofToken(UUID token) {
        return Optional.ofNullable(byToken.get(token));
    }

    /**
     * A connection broke before it was known what it is for, or which token was given on it: it may
     * have been anybody's.
     */
    void missOne() {
        blind = true;
    }

    boolean missesSome() {
        return blind;
    }
}
