package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.phase.AwaitingAnswer;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.testing.MemoryLinks;
import io.pageferry.core.testing.Samples;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What a source does between a lost link and the next one; the test is the target. */
class SessionResumeTest {
    private static final long WINDOW = 30 * SourceRig.SECOND;
    private static final UUID TOKEN = new UUID(1, 1);

    private static SourceOptions with(SourceOptions usual, MigrationLimits limits) {
        return usual.withLimits(limits).withWindows(WINDOW, usual.settleNanos());
    }

    private static SourceOptions timeout(SourceOptions usual, long nanos) {
        MigrationLimits limits = usual.limits();
        return with(usual, new MigrationLimits(limits.policy(), limits.maxDowntimeNanos(),
                limits.maxRounds(), nanos, limits.onNoConvergence(), limits.maxSwitchoverNanos(),
                limits.bandwidth(), limits.throttling()));
    }

    private static SourceRig lost(SourceState state) {
        return lost(usual -> with(usual, usual.limits()), state);
    }

    private static SourceRig lost(UnaryOperator<SourceOptions> options, SourceState state) {
        SourceRig rig = new SourceRig(options, UnaryOperator.identity());
        rig.recoveryAddress(state).turns(3);
        rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
        rig.turn();
        assertTrue(rig.guest.isRunning());
        return rig;
    }

    /** The newest link that the source opened, with its RESUME. */
    private static Message.Resume asked(SourceRig rig) {
        rig.turns(2);
        Message.Resume[] found = new Message.Resume[1];
        rig.later.getLast().target().poll(new Ear(message ->
                found[0] = (Message.Resume) message));
        return found[0];
    }

    private static void answer(SourceRig rig, Message message) {
        MemoryLinks link = rig.later.getLast();
        if (message instanceof Message.Welcome welcome) {
            link.target().acceptChannels(welcome);
        }
        assertTrue(link.target().send(message));
        rig.turns(3);
    }

    @Test
    void itGoesOnInANewGenerationWithANewRound() {
        for (SourceState state : new SourceState[] {SourceState.PRECOPY, SourceState.SWITCHOVER}) {
            try (SourceRig rig = lost(state)) {
                long before = rig.last(Message.RoundEnd.class).round();
                Message.Resume resume = asked(rig);
                assertEquals(new Message.Resume(SourceRig.ID, TOKEN, 2,
                        state == SourceState.PRECOPY ? 0 : 1), resume);
                answer(rig, new Message.Welcome(TOKEN, 2, 0, 1, 4));
                assertEquals(SourceState.PRECOPY, rig.source.state());
                assertEquals(1, rig.source.figures().reconnects());
                long[] round = {-1};
                long[] generation = {0};
                MemoryLinks link = rig.later.getLast();
                for (int i = 0; i < 5; i++) {
                    rig.turn();
                    link.target().poll(new Ear(message -> {
                        if (message instanceof Message.RoundEnd end) {
                            round[0] = end.round();
                        }
                    }, batch -> {
                        generation[0] = batch.generation();
                        link.target().applied(batch);
                    }));
                }
                assertTrue(round[0] > before, round[0] + " after " + before);
                // Where nothing was owed and nothing written, the round has no batch.
                assertTrue(generation[0] == 2 || generation[0] == 0);
            }
        }
    }

    @Test
    void theWindowEndsIt() {
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            rig.clock.advance(WINDOW - 1);
            rig.turn();
            assertFalse(rig.source.isDone());
            rig.clock.advance(1);
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
            assertTrue(rig.guest.isRunning());
        }
    }

    /** As on a path that lets the first packets of a connection through, and no large ones. */
    @Test
    void linksThatCarryNothingAreOneLoss() {
        try (SourceRig rig = lost(usual -> with(usual, usual.limits()), SourceState.PRECOPY)) {
            for (int i = 0; i < 3; i++) {
                rig.guest.write(200 + i, 16);
                long generation = asked(rig).generation();
                answer(rig, new Message.Welcome(TOKEN, generation, 0, 1, 4));
                assertEquals(i + 1, rig.source.figures().reconnects());
                rig.turns(5);
                rig.clock.advance(WINDOW / 4);
                rig.later.getLast().cut(ErrorCode.LINK_LOST, "cut by the test");
                rig.turn();
                assertFalse(rig.source.isDone());
            }
            rig.clock.advance(WINDOW / 4);
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertTrue(rig.outcome().reason().contains("MTU"), rig.outcome()::reason);
            assertTrue(rig.guest.isRunning());
        }
    }

    @Test
    void anAttemptThatIsNotAnsweredIsFollowedByOneOfAHigherGeneration() {
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            assertEquals(2, asked(rig).generation());
            rig.clock.advance(5 * SourceRig.SECOND);
            rig.turns(2);
            rig.clock.advance(SourceRig.SECOND);
            assertEquals(3, asked(rig).generation());
            // What was said to the attempt before says nothing to this one.
            answer(rig, new Message.Welcome(TOKEN, 2, 0, 1, 4));
            assertTrue(rig.source.isDone(), rig.log.toString());
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
            assertTrue(rig.guest.isRunning());
        }
    }

    @Test
    void aLostAttemptIsTriedAgainAfterAPause() {
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            asked(rig);
            rig.later.getLast().cut(ErrorCode.CORRUPT_FRAME, "again");
            rig.turns(3);
            assertEquals(1, rig.later.size());
            rig.clock.advance(SourceRig.SECOND);
            assertEquals(3, asked(rig).generation());
            assertEquals(2, rig.later.size());
        }
    }

    @Test
    void aRefusalOfTheTargetEndsIt() {
        Message[] refusals = {new Message.Refused(1, "it was ready"),
            new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, "it was ready"),
            new Message.Cancel(0, ErrorCode.CANCELLED, "it was ready")};
        for (Message refusal : refusals) {
            try (SourceRig rig = lost(SourceState.SWITCHOVER)) {
                asked(rig);
                answer(rig, refusal);
                assertEquals(Result.FAILED, rig.outcome().result());
                assertTrue(rig.outcome().reason().contains("it was ready"));
                assertTrue(rig.guest.isRunning());
            }
        }
    }

    @Test
    void whatDoesNotFitAfterResumeIsNamed() {
        List<Message> misfits = Samples.all(SourceRig.ID, 0).stream().filter(message ->
                !(message instanceof Message.Refused || message instanceof Message.Cancel
                || message instanceof Message.Failure || message instanceof Message.Heartbeat))
                .toList();
        for (Message misfit : misfits) {
            try (SourceRig rig = lost(SourceState.PRECOPY)) {
                asked(rig);
                rig.later.getLast().target().send(misfit);
                // What comes behind it changes nothing any more.
                rig.later.getLast().target().send(new Message.Failure(ErrorCode.BUSY, "busy"));
                rig.turns(3);
                assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
                String named = "unexpected " + misfit.getClass().getSimpleName() + " after RESUME";
                assertTrue(rig.outcome().reason().contains(named), rig.outcome().reason());
                assertTrue(rig.guest.isRunning());
            }
        }
    }

    @Test
    void cancelTimeoutAndTheGuestsEndStillHold() {
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            rig.source.cancel();
            assertEquals(Result.CANCELLED, unheard(rig).result());
        }
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            rig.guest.crash("it panicked");
            rig.clock.advance(SourceRig.SECOND);
            assertEquals(Result.GUEST_ENDED, unheard(rig).result());
        }
        SourceRig rig = lost(usual -> timeout(usual, 2 * SourceRig.SECOND), SourceState.PRECOPY);
        try (rig) {
            rig.clock.advance(2 * SourceRig.SECOND);
            Outcome end = unheard(rig);
            assertEquals(ErrorCode.DEADLINE, end.code());
            assertEquals(Result.FAILED, end.result());
            assertEquals(Limit.TIMEOUT.label() + " is over while the link is lost", end.reason());
            assertTrue(rig.guest.isRunning());
        }
    }

    /** Nobody answers: it says nothing, and ends after an attempt. */
    private static Outcome unheard(SourceRig rig) {
        rig.turn();
        assertFalse(rig.source.isDone());
        rig.clock.advance(Dialer.ATTEMPT - 1);
        rig.turn();
        assertFalse(rig.source.isDone());
        rig.clock.advance(1);
        rig.turn();
        return rig.outcome();
    }

    @Test
    void aTargetThatCanBeReachedHearsOfTheCancel() {
        for (SourceState state : new SourceState[] {SourceState.PRECOPY, SourceState.SWITCHOVER}) {
            try (SourceRig rig = lost(state)) {
                asked(rig);
                rig.later.getLast().cut(ErrorCode.LINK_LOST, "again");
                rig.turn();
                // Between two attempts: it does not wait for the next.
                rig.source.cancel();
                assertEquals(3, asked(rig).generation());
                MemoryLinks link = rig.later.getLast();
                answer(rig, new Message.Welcome(TOKEN, 3, 0, 1, 4));
                List<Message> heard = new ArrayList<>();
                link.target().poll(new Ear(heard::add));
                long epoch = state == SourceState.PRECOPY ? 0 : 1;
                assertEquals(List.of(new Message.Cancel(epoch, ErrorCode.CANCELLED, "cancelled")),
                        heard);
                assertEquals(Result.CANCELLED, rig.outcome().result());
                assertFalse(link.source().channelsReady());
            }
        }
    }

    /** A source whose link is up, as far as anybody knows. */
    private static SourceRig cancelled(SourceState state, boolean silent) {
        SourceRig rig = new SourceRig(usual -> with(usual, usual.limits()),
                UnaryOperator.identity());
        rig.recoveryAddress(state).turns(3);
        if (silent) {
            rig.links.silence();
        }
        rig.source.cancel();
        rig.turns(2);
        assertTrue(rig.guest.isRunning(), "it waits for nobody");
        return rig;
    }

    @Test
    void anAnswerToTheCancelIsTheEnd() {
        Message[] answers = {new Message.Cancel(1, ErrorCode.CANCELLED, "cancelled"),
            new Message.Refused(1, "cancelled"),
            new Message.Failure(ErrorCode.CANCELLED, "cancelled")};
        for (SourceState state : new SourceState[] {SourceState.PRECOPY, SourceState.SWITCHOVER}) {
            for (Message answer : answers) {
                try (SourceRig rig = cancelled(state, false)) {
                    assertEquals(ErrorCode.CANCELLED, rig.last(Message.Cancel.class).code());
                    rig.say(new Message.RoundApplied(0));
                    rig.turn();
                    assertFalse(rig.source.isDone());
                    rig.say(answer);
                    rig.turn();
                    assertEquals(Result.CANCELLED, rig.outcome().result());
                    assertTrue(rig.later.isEmpty());
                }
            }
        }
    }

    @Test
    void aCancelThatIsNotAnsweredIsSaidOverAnotherLink() {
        for (SourceState state : new SourceState[] {SourceState.PRECOPY, SourceState.SWITCHOVER}) {
            try (SourceRig rig = cancelled(state, true)) {
                rig.clock.advance(AwaitingAnswer.ANSWER_NANOS - 1);
                rig.turn();
                assertTrue(rig.later.isEmpty());
                rig.clock.advance(1);
                assertEquals(2, asked(rig).generation());
                answer(rig, new Message.Welcome(TOKEN, 2, 0, 1, 4));
                List<Message> heard = new ArrayList<>();
                rig.later.getLast().target().poll(new Ear(heard::add));
                long epoch = state == SourceState.PRECOPY ? 0 : 1;
                assertEquals(List.of(new Message.Cancel(epoch, ErrorCode.CANCELLED, "cancelled")),
                        heard);
                assertEquals(Result.CANCELLED, rig.outcome().result());
            }
        }
    }

    /** What is known as lost needs no wait; where nobody answers at all it ends all the same. */
    @Test
    void aLinkLostWhileTheAnswerIsAwaitedIsReplacedAtOnce() {
        try (SourceRig rig = cancelled(SourceState.PRECOPY, true)) {
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            rig.turns(2);
            assertEquals(1, rig.later.size());
            assertEquals(Result.CANCELLED, unheard(rig).result());
        }
    }

    @Test
    void whatTheTargetSaysToTheLastWordChangesNothing() {
        try (SourceRig rig = lost(SourceState.PRECOPY)) {
            rig.source.cancel();
            asked(rig);
            answer(rig, new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, "no such session"));
            assertEquals(Result.CANCELLED, rig.outcome().result());
        }
    }

    @Test
    void theThrottleHoldsAgainOnceTheRoundsGoOn() {
        Throttling half = new Throttling(Throttle.FIXED, 50, WriteThrottle.Quota.CLASSIC, 100);
        SourceRig rig = lost(usual -> with(usual, usual.limits().with(half)),
                SourceState.SWITCHOVER);
        try (rig) {
            assertEquals(0, rig.gate.percent());
            asked(rig);
            rig.clock.advance(2 * SourceRig.SECOND);
            answer(rig, new Message.Welcome(TOKEN, 2, 0, 1, 4));
            assertEquals(SourceState.PRECOPY, rig.source.state());
            assertEquals(50, rig.gate.percent());
            assertEquals(WriteThrottle.Quota.CLASSIC, rig.gate.quota());
            rig.clock.advance(2 * SourceRig.SECOND);
            rig.source.cancel();
            rig.turns(2);
            assertEquals(0, rig.gate.percent());
            assertEquals(SourceRig.SECOND, rig.source.figures().stolenNanos());
            assertEquals(25, rig.source.figures().slowdownPercent(), 0.1);
        }
    }

    @Test
    void whatIsNoDamageIsNotSurvived() {
        SourceRig rig = new SourceRig(usual -> with(usual, usual.limits()),
                UnaryOperator.identity());
        try (rig) {
            rig.recoveryAddress(SourceState.PRECOPY);
            rig.links.cut(ErrorCode.PROTOCOL_VIOLATION, "a bug");
            rig.turn();
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
            assertTrue(rig.later.isEmpty());
        }
    }
}
