package io.pageferry.agent.capture.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.core.codec.CodecChoice;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule has a capture in which it alone is broken, and which breaks it there. */
class SamplesTest {
    private static final Map<Rule, Consumer<Tape>> SAMPLES = new EnumMap<>(Rule.class);

    private static final long SEED = 36;
    private static final int FLIPS = 30;

    private static GoodMove good;

    @BeforeAll
    static void move() throws Exception {
        // No differences: what one makes of its page is not known here, whichever bits it has.
        good = GoodMove.make(CodecChoice.LZ4, 0);
        FrameSamples.addTo(SAMPLES);
        SessionSamples.addTo(SAMPLES);
        PageSamples.addTo(SAMPLES);
        HandoverSamples.addTo(SAMPLES);
    }

    @ParameterizedTest
    @EnumSource
    void aSampleOfEachRuleIsFound(Rule rule) {
        assertNotNull(SAMPLES.get(rule), "a rule without a sample");
        Tape tape = good.tape(Capture.Side.SOURCE);
        SAMPLES.get(rule).accept(tape);
        List<Verdict.Violation> found = tape.seal().verdict().violations();
        assertEquals(List.of(rule), found.stream().map(Verdict.Violation::rule).toList(),
                found::toString);
    }

    @ParameterizedTest
    @EnumSource
    void aGoodCaptureBreaksNoRule(Capture.Side side) {
        Tape tape = good.tape(side);
        Verdict verdict = tape.verdict();
        assertEquals(List.of(), verdict.violations());
        // Two control connections, two channels of each generation.
        assertEquals(6, verdict.connections());
        assertEquals(List.of(), tape.seal().verdict().violations());
    }

    @ParameterizedTest
    @EnumSource
    void aMoveByWhicheverCodecBreaksNoRule(CodecChoice codec) throws Exception {
        GoodMove move = GoodMove.make(codec, 1 << 20);
        for (Capture.Side side : Capture.Side.values()) {
            assertEquals(List.of(), move.tape(side).verdict().violations());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"storage", "cancel", "mismatch", "status", "proofs", "optional"})
    void whatAMoveNeedNotHaveIsAllowed(String what) {
        Tape tape = good.tape(Capture.Side.SOURCE);
        switch (what) {
            case "storage" -> SessionSamples.goodStreams(tape);
            case "cancel" -> HandoverSamples.goodCancel(tape);
            case "mismatch" -> HandoverSamples.goodMismatch(tape);
            case "status" -> HandoverSamples.goodStatus(tape);
            case "proofs" -> FrameSamples.goodProofs(tape);
            default -> FrameSamples.goodOptional(tape);
        }
        assertEquals(List.of(), tape.seal().verdict().violations());
    }

    /** Every bit is under some sum, so that none can turn over unseen. */
    @RepeatedTest(5)
    void aBitThatTurnsOverIsFound(RepetitionInfo turn) {
        Random random = new Random(SEED + turn.getCurrentRepetition());
        for (int i = 0; i < FLIPS; i++) {
            Tape tape = good.tape(Capture.Side.SOURCE);
            Tape.Piece piece = tape.any(random);
            int bit = random.nextInt(8 * piece.bytes.length);
            piece.bytes[bit / 8] ^= (byte) (1 << bit % 8);
            assertFalse(tape.verdict().violations().isEmpty(), () -> "bit " + bit + " of type "
                    + piece.type() + ", connection " + piece.connection + ", seed " + SEED);
        }
    }

    /** With sums that hold again, it may mean anything, and throws nothing. */
    @RepeatedTest(5)
    void whateverIsSaidIsJudged(RepetitionInfo turn) {
        Random random = new Random(SEED - turn.getCurrentRepetition());
        for (int i = 0; i < FLIPS; i++) {
            Tape tape = good.tape(Capture.Side.SOURCE);
            Tape.Piece piece = tape.any(random);
            int at = random.nextInt(piece.isPreamble() ? 0 : Tape.HEADER, piece.bytes.length);
            piece.bytes[at] ^= (byte) random.nextInt(1, 256);
            Verdict verdict = tape.seal().verdict();
            assertTrue(verdict.violations().size() <= verdict.connections(), verdict::toString);
        }
    }

    /** A target is not told in which order a source sent what was late on its way. */
    @Test
    void aLateResumeBreaksNothingUnlessItIsGranted() {
        Tape tape = good.tape(Capture.Side.TARGET);
        Tape.Piece late = tape.last(0x05);
        late.body().putLong(32, 1);
        Tape.Piece answer = tape.last(0x02);
        answer.body().putLong(16, 1);
        assertEquals(List.of(Rule.RESUME_GENERATION), tape.seal().verdict().violations().stream()
                .map(Verdict.Violation::rule).toList());
    }
}
