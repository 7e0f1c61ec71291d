package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.capture.CaptureReader;
import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.FrameType.From;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks a capture, record by record, in the order in which they stand; confined to one thread. */
public final class CaptureCheck {
    private final Capture.Side side;
    private final Sessions sessions;
    private final Batches batches = new Batches();
    private final Map<Integer, Connection> open = new HashMap<>();
    private final List<Verdict.Violation> violations = new ArrayList<>();
    private int connections;
    private long frames;

    /**
     * Makes a check that has seen nothing yet.
     *
     * @param side which side made the capture
     */
    public CaptureCheck(Capture.Side side) {
        this.side = side;
        this.sessions = new Sessions(side == Capture.Side.SOURCE);
    }

    /**
     * Checks all of a capture.
     *
     * @param reader of it, at its begin
     * @return what was found
     * @throws IOException where the file itself is damaged, or cannot be read
     */
    public static Verdict of(CaptureReader reader) throws IOException {
        CaptureCheck check = new CaptureCheck(reader.side());
        Optional<Capture.Event> event = reader.next();
        while (event.isPresent()) {
            check.take(event.get());
            event = reader.next();
        }
        return check.verdict();
    }

    /**
     * Takes the next record.
     *
     * @param event as it stands in the capture
     */
    public void take(Capture.Event event) {
        Connection connection = open.get(event.connection());
        if (connection == null && event.kind() != Capture.Kind.OPENED) {
            return;
        }
        switch (event.kind()) {
            case OPENED -> {
                open.put(event.connection(), new Connection(sessions, batches));
                connections++;
            }
            case RECEIVED -> bytes(connection, event, side == Capture.Side.SOURCE
                    ? From.TARGET : From.SOURCE);
            case SENT -> bytes(connection, event, side == Capture.Side.SOURCE
                    ? From.SOURCE : From.TARGET);
            case CLOSED -> {
                frames += connection.frames();
                open.remove(event.connection());
            }
            default -> { }
        }
    }

    private void bytes(Connection connection, Capture.Event event, From from) {
        try {
            connection.take(from, event.bytes());
        } catch (Breach e) {
            violations.add(new Verdict.Violation(e.rule(), event.connection(), from,
                    connection.offset(from), e.getMessage()));
            connection.breaks();
        }
    }

    /** {@return what was found in all that was taken} */
    public Verdict verdict() {
        return new Verdict(connections, frames
                + open.values().stream().mapToLong(Connection::frames).sum(),
                List.copyOf(violations));
    }
}
