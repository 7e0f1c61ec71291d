package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.e2e.RoughProxy.Harm;
import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * The move of one small guest out of this process, with what happens to it: all drawn from a seed.
 *
 * @param seed     of this move alone
 * @param fate     what happens to it
 * @param guest    a workload of 4 MiB
 * @param channels for its pages
 */
record SoakMove(long seed, Fate fate, String guest, int channels) {
    private static final long SECOND = 1_000_000_000L;

    /** Refused, with nothing begun. */
    private static final Set<ErrorCode> AGAIN = EnumSet.of(ErrorCode.BUSY, ErrorCode.DEADLINE);

    /** Sooner than these bytes a cut is a refusal; later, a guest of random pages has gone. */
    private static final int MOST_BYTES = 2 << 20;

    private static final String BESIDE_LIARS = "workload:4MiB?fill=mixed&rate=4MiB/s";

    /** What happens to a move. */
    enum Fate {
        /** Nothing, in most. */
        NOTHING(60),
        /** It is cancelled at a moment drawn. */
        CANCELLED(15, Result.CANCELLED),
        /** The link is cut or hurt once or twice, and comes back. */
        CUT(13, Result.FAILED),
        /** The link is cut, and the source does not try again. */
        CUT_OFF(6, Result.FAILED),
        /** The source's process is killed at a moment drawn. */
        KILLED(6),
        /** Something is said in its name. */
        LIED_FOR(0, Result.FAILED, Result.REFUSED);

        /** Of a hundred moves. */
        private final int share;
        /** How it may end, where it does not arrive. */
        private final List<Result> ends;

        Fate(int share, Result... ends) {
            this.share = share;
            this.ends = List.of(ends);
        }

        private static Fate draw(Random random) {
            int at = random.nextInt(100);
            for (Fate one : values()) {
                at -= one.share;
                if (at < 0) {
                    return one;
                }
            }
            throw new AssertionError("the shares are not a hundred");
        }
    }

    static SoakMove draw(long seed) {
        Random random = new Random(seed);
        Fate fate = Fate.draw(random);
        // A cut is meant to come in the middle: pages that no codec makes fewer.
        String fill = fate == Fate.CUT || fate == Fate.CUT_OFF ? "random"
                : List.of("mixed", "random", "text", "zero").get(random.nextInt(4));
        return new SoakMove(seed, fate, "workload:4MiB?fill=" + fill + "&rate="
                + (1 + random.nextInt(8)) + "MiB/s", 1 + random.nextInt(3));
    }

    /** One that arrives, but for what is done to its words. */
    static SoakMove liedFor(long seed) {
        return new SoakMove(seed, Fate.LIED_FOR, BESIDE_LIARS, 1);
    }

    /** The same with nobody between, and all the time that it needs beside liars. */
    static SoakMove honest(long seed) {
        return new SoakMove(seed, Fate.NOTHING, BESIDE_LIARS, 1);
    }

    /** Where it is killed: see {@link Hold}. */
    String killedAt() {
        return List.of("precopy", "round 0", "switchover", "granted")
                .get(new Random(seed + 1).nextInt(4));
    }

    /** Moves it, in this thread, to a port of the loopback. */
    AgentResult run(int port, Path state) throws IOException {
        Random random = new Random(seed + 1);
        if (fate == Fate.CUT || fate == Fate.CUT_OFF) {
            List<Harm> harms = new ArrayList<>();
            for (int i = fate == Fate.CUT ? random.nextInt(2) : 0; i >= 0; i--) {
                harms.add(List.of(Harm.DROP, Harm.TRUNCATE, Harm.CORRUPT).get(random.nextInt(3)));
            }
            try (RoughProxy proxy = new RoughProxy("127.0.0.1:" + port, random.nextLong(), harms,
                    MOST_BYTES)) {
                String[] address = proxy.address().split(":");
                AgentResult ended = run(Integer.parseInt(address[1]), state, random);
                if (proxy.done().isEmpty()) {
                    throw new AssertionError("nothing was cut in " + this);
                }
                return ended;
            }
        }
        return run(port, state, random);
    }

    private AgentResult run(int port, Path state, Random random) {
        GuestUri uri = GuestUri.parse(guest);
        SourceOptions options = SourceOptions.defaults().withAudit(true)
                .withPages(CodecChoice.values()[random.nextInt(CodecChoice.values().length)],
                        channels)
                .withVerification(random.nextBoolean() ? Verification.SENT : Verification.FULL)
                .withWindows(fate == Fate.CUT_OFF ? 0 : 20 * SECOND, 30 * SECOND);
        options = options.withLimits(fate == Fate.LIED_FOR ? impatient(options.limits())
                : patient(options.limits()));
        SourceSession[] session = new SourceSession[1];
        MigrationListener listener = fate != Fate.CANCELLED ? MigrationListener.silent()
                : cancelling(session, random.nextInt(5));
        session[0] = new SourceSession(new MigrateSettings(new GuestFactory<>(uri.text(),
                setup -> GuestKinds.of(uri).openSource(uri, setup), () -> () -> { }, () -> 0),
                new SocketConnector(new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        Optional.empty()), TrackerChoice.AUTO, options, After.QUIT, false, state,
                0, ""), listener);
        return session[0].run();
    }

    /** A target that was not told something waits for it, and so does its source. */
    private static MigrationLimits impatient(MigrationLimits usual) {
        return new MigrationLimits(usual.policy(), usual.maxDowntimeNanos(), usual.maxRounds(),
                5 * SECOND, usual.onNoConvergence(), usual.maxSwitchoverNanos(),
                usual.bandwidth(), usual.throttling());
    }

    /** Fifty at once may want a pause of half a minute each, on two processors. */
    private static MigrationLimits patient(MigrationLimits usual) {
        return new MigrationLimits(usual.policy(), usual.maxDowntimeNanos(), usual.maxRounds(),
                usual.timeoutNanos(), usual.onNoConvergence(), 300 * SECOND, usual.bandwidth(),
                usual.throttling());
    }

    /** Cancels at one of the first events: of some of them, when it is too late. */
    private static MigrationListener cancelling(SourceSession[] session, int at) {
        return new MigrationListener() {
            private int events;

            @Override
            public void on(MigrationEvent event) {
                if (event instanceof StateEntered || event instanceof RoundEnded) {
                    if (events++ == at) {
                        session[0].cancel();
                    }
                }
            }
        };
    }

    /** Moves it; again where no slot was free, or the machine had no time for its channels. */
    AgentResult runInto(SoakProcess target, int port, Path state) throws IOException {
        AgentResult ended = run(port, state);
        while (ended.outcome().result() == Result.REFUSED
                && AGAIN.contains(ended.outcome().code()) && target.isThere()) {
            ended = run(port, state);
        }
        return ended;
    }

    /** Both sides are of one mind; what arrived is right, and what did not is at the source. */
    void assertRight(AgentResult ended, SoakProcess target) throws IOException {
        JsonNode report = ended.report().json();
        Result result = ended.outcome().result();
        String what = this + ": " + report;
        if (result == Result.COMPLETED) {
            long all = report.at("/guest/memoryBytes").asLong() / 4096;
            long audited = report.at("/verification/audit/pages").asLong();
            // A lie may be the end of the audit, which changes no owner.
            assertTrue(fate == Fate.LIED_FOR ? audited <= all : audited == all, what);
            assertEquals(0, report.at("/verification/audit/differing").asLong(-1), what);
            assertEquals("target", report.at("/owner/side").asText(), what);
            target.awaitCompleted(report.path("migrationId").asText());
            return;
        }
        assertTrue(fate.ends.contains(result), what);
        assertEquals(0, report.at("/guestCheck/failures").asLong(0), what);
        if (result != Result.REFUSED) {
            assertEquals("source", report.at("/owner/side").asText(), what);
            target.expectNothing(report.path("migrationId").asText());
        }
    }
}
