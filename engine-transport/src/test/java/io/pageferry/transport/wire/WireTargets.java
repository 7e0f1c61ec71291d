package io.pageferry.transport.wire;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.util.ArrayList;
import java.util.List;

/** Preamble, frame, every message, directory and batch. */
public final class WireTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        List<FuzzTarget> all = new ArrayList<>(List.of(
                new PreambleTarget(), new FrameTarget(), new DirectoryTarget(), new BatchTarget()));
        for (MessageType type : MessageType.values()) {
            if (type != MessageType.BATCH) {
                all.add(new MessageTarget(type));
            }
        }
        return all;
    }

    static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
