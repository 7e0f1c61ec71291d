package io.pageferry.transport.netty.io;

import static io.pageferry.transport.netty.io.ConnectionState.CLOSING;
import static io.pageferry.transport.netty.io.ConnectionState.ENDED;
import static io.pageferry.transport.netty.io.ConnectionState.FINISHING;
import static io.pageferry.transport.netty.io.ConnectionState.LINGERING;
import static io.pageferry.transport.netty.io.ConnectionState.NOT_READING;
import static io.pageferry.transport.netty.io.ConnectionState.OPENING;
import static io.pageferry.transport.netty.io.ConnectionState.PROVING;
import static io.pageferry.transport.netty.io.ConnectionState.READY;
import static io.pageferry.transport.netty.io.ConnectionState.RECEIVING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What follows what on a connection. */
class ConnectionStateTest {
    /** A state, and what follows it at linger, finish, flushed and inputEnded; null: a bug. */
    private record Row(ConnectionState state, ConnectionState linger, ConnectionState finish,
            ConnectionState flushed, ConnectionState inputEnded) { }

    private static List<Row> rows() {
        return List.of(
                new Row(OPENING, FINISHING, FINISHING, null, CLOSING),
                new Row(PROVING, FINISHING, FINISHING, null, CLOSING),
                new Row(READY, LINGERING, FINISHING, null, CLOSING),
                new Row(LINGERING, LINGERING, FINISHING, RECEIVING, CLOSING),
                new Row(RECEIVING, RECEIVING, NOT_READING, null, ENDED),
                new Row(FINISHING, FINISHING, FINISHING, NOT_READING, CLOSING),
                new Row(NOT_READING, NOT_READING, NOT_READING, null, ENDED),
                new Row(CLOSING, CLOSING, CLOSING, ENDED, CLOSING),
                new Row(ENDED, ENDED, ENDED, ENDED, ENDED));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void eachEventHasItsNextState(Row row) {
        assertEquals(row.linger, row.state.linger());
        assertEquals(row.finish, row.state.finish());
        assertEquals(row.inputEnded, row.state.inputEnded());
        if (row.flushed == null) {
            String message = assertThrows(IllegalStateException.class, row.state::flushed)
                    .getMessage();
            assertTrue(message.contains(row.state.name()), message);
        } else {
            assertEquals(row.flushed, row.state.flushed());
        }
    }

    @ParameterizedTest
    @EnumSource
    void onlyAnOpeningConnectionTakesAPreamble(ConnectionState state) {
        if (state == OPENING) {
            assertEquals(READY, state.opened(true));
            assertEquals(PROVING, state.opened(false));
        } else {
            assertEquals("a preamble while " + state, assertThrows(
                    IllegalStateException.class, () -> state.opened(true)).getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void onlyWhereItIsWantedAProofIsTaken(ConnectionState state) {
        if (state == PROVING) {
            assertEquals(READY, state.proved(true));
            assertEquals(PROVING, state.proved(false));
        } else {
            assertEquals("a proof while " + state, assertThrows(
                    IllegalStateException.class, () -> state.proved(true)).getMessage());
        }
    }

    @Test
    void aFrameThatIsSentTooEarlyIsNamedWithTheState() {
        assertEquals("Grant cannot be sent while OPENING", assertThrows(
                IllegalStateException.class, () -> OPENING.sends("Grant")).getMessage());
        assertEquals("Grant cannot be sent while PROVING", assertThrows(
                IllegalStateException.class, () -> PROVING.sends("Grant")).getMessage());
    }

    @Test
    void framesAreSentWhileReadyAndDroppedAfterwards() {
        assertTrue(READY.sends("Grant"));
        for (ConnectionState state : EnumSet.range(LINGERING, ENDED)) {
            assertFalse(state.sends("Grant"), state.name());
        }
    }

    @Test
    void nothingLeadsBackFromTheEndOfTheOutputOrOfTheInput() {
        Set<ConnectionState> heard = EnumSet.of(OPENING, PROVING, READY, LINGERING, RECEIVING);
        for (Row row : rows()) {
            assertEquals(heard.contains(row.state), row.state.isHeard(), row.toString());
            for (ConnectionState next : List.of(row.linger, row.finish, row.inputEnded)) {
                assertFalse(next.isOutputOpen(), row.toString());
                assertTrue(row.state.isHeard() || !next.isHeard(), row.toString());
            }
        }
    }
}
