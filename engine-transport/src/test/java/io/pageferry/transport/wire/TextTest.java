package io.pageferry.transport.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import org.junit.jupiter.api.Test;

/** A text on the wire holds nothing that a terminal would obey. */
class TextTest {
    @Test
    void theSenderEscapesWhatATerminalObeys() throws WireException {
        Message.Failure sent = new Message.Failure(ErrorCode.INTERNAL, "a\u001b[2Jb\nc");
        assertEquals(new Message.Failure(ErrorCode.INTERNAL, "a\\u001b[2Jb\\u000ac"),
                Samples.receive(Samples.frame(sent)));
    }

    @Test
    void theReceiverRefusesIt() {
        byte[] frame = Samples.frame(new Message.Failure(ErrorCode.INTERNAL, "aXb"));
        frame[frame.length - 2] = 0x1b;
        WireException e = assertThrows(WireException.class,
                () -> Samples.receive(DamageTest.resealed(frame)));
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, e.code());
        assertTrue(e.getMessage().contains("control characters"), e.getMessage());
    }
}
