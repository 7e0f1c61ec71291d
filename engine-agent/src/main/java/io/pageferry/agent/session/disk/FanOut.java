package io.pageferry.agent.session.disk;

import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.process.Threads;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies of one guest to several targets, each by a session of its own on a thread of its own, all
 * read from the guest once. What becomes of one is nothing to the others.
 */
public final class FanOut {
    private final Shared shared;
    private final List<SourceSession> sessions = new ArrayList<>();

    /**
     * One of the copies.
     *
     * @param settings of its session, but for the guest
     * @param listener receives its events, on its thread
     */
    public record Copy(MigrateSettings settings, MigrationListener listener) { }

    /** The guest, opened once for all sessions, by whichever comes first. */
    private static final class Shared {
        private final GuestUri uri;
        private final int copies;
        private List<SourceGuest> guests = List.of();
        private GuestException refusal;

        Shared(GuestUri uri, int copies) {
            this.uri = uri;
            this.copies = copies;
        }

        synchronized SourceGuest open(int copy, GuestSetup setup) throws GuestException {
            if (refusal != null) {
                throw refusal;
            }
            if (guests.isEmpty()) {
                try {
                    guests = GuestKinds.of(uri).openCopies(uri, setup, copies);
                } catch (GuestException e) {
                    refusal = e;
                    throw e;
                }
            }
            return guests.get(copy);
        }

        /** Of a session that ended before it opened it, too: the others would wait for it. */
        synchronized void close(int copy) {
            if (!guests.isEmpty()) {
                guests.get(copy).close();
            }
        }
    }

    /**
     * Makes the sessions.
     *
     * @param uri    the guest
     * @param copies of it, one or more
     */
    public FanOut(GuestUri uri, List<Copy> copies) {
        this.shared = new Shared(uri, copies.size());
        for (Copy copy : copies) {
            int number = sessions.size();
            GuestFactory<SourceGuest> usual = copy.settings().guest();
            sessions.add(new SourceSession(copy.settings().with(new GuestFactory<>(usual.text(),
                    setup -> shared.open(number, setup), usual.warmUp(), usual.startup())),
                    copy.listener()));
        }
    }

    /**
     * Copies, on threads of its own, and waits for all of them.
     *
     * @return how each ended, in the order of the copies
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public List<AgentResult> run() {
        AgentResult[] results = new AgentResult[sessions.size()];
        Throwable[] broken = new Throwable[sessions.size()];
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < sessions.size(); i++) {
            int copy = i;
            threads.add(Thread.ofPlatform().daemon().name("pageferry-copy-" + i).start(() -> {
                try {
                    results[copy] = sessions.get(copy).run();
                } catch (RuntimeException | Error e) {
                    broken[copy] = e;
                } finally {
                    shared.close(copy);
                }
            }));
        }
        threads.forEach(Threads::join);
        for (Throwable one : broken) {
            switch (one) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case null, default -> { }
            }
        }
        return List.of(results);
    }

    /** Requests a cancel of all; from any thread. */
    public void cancel() {
        sessions.forEach(SourceSession::cancel);
    }
}
