package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.FrameType;
import io.pageferry.agent.capture.frame.FrameType.From;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;

/** The streams of a session with STORAGE; PROTOCOL.md §7. */
final class Streams {
    private static final long FEATURE = 1L << 32;
    private static final int MOST = 64;
    private static final long AHEAD = 524_288;

    private final Session session;

    // By side and stream.
    private final long[][] sent = new long[From.values().length][MOST];
    private final long[][] credit = new long[From.values().length][MOST];
    private final boolean[][] ended = new boolean[From.values().length][MOST];

    Streams(Session session) {
        this.session = session;
    }

    void take(From from, FrameType type, Values values) throws Breach {
        int stream = values.small("stream");
        unless((session.features() & FEATURE) != 0, Rule.STREAM_FEATURE,
                type + " in a session without STORAGE");
        unless(stream < session.offer().disks().size(), Rule.STREAM_NUMBER, "stream " + stream
                + " of " + session.offer().disks().size());
        switch (type) {
            case STREAM_CREDIT -> credit(from.ordinal(), stream, values.num("bytes"));
            case STREAM_DATA -> data(from.ordinal(), stream, values.num("length"));
            default -> {
                unless(!ended[from.ordinal()][stream], Rule.STREAM_ENDED,
                        "stream " + stream + " is ended once more");
                ended[from.ordinal()][stream] = true;
            }
        }
    }

    private void credit(int side, int stream, long upTo) throws Breach {
        int other = 1 - side;
        unless(side == From.SOURCE.ordinal() || credit[other][stream] > 0, Rule.STREAM_OPENING,
                "the target opens stream " + stream);
        unless(upTo >= credit[side][stream], Rule.STREAM_CREDIT_BACK, "stream " + stream
                + ": credit " + upTo + " behind " + credit[side][stream]);
        unless(upTo <= sent[other][stream] + AHEAD, Rule.STREAM_AHEAD, "stream " + stream
                + ": credit " + upTo + " with " + sent[other][stream] + " bytes sent");
        credit[side][stream] = upTo;
    }

    private void data(int side, int stream, long bytes) throws Breach {
        unless(!ended[side][stream], Rule.STREAM_ENDED, "bytes behind the end of stream " + stream);
        sent[side][stream] += bytes;
        unless(sent[side][stream] <= credit[1 - side][stream], Rule.STREAM_CREDIT, "stream "
                + stream + ": " + sent[side][stream] + " bytes, and the credit is "
                + credit[1 - side][stream]);
    }
}
