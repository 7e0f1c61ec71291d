package io.pageferry.agent.daemon;

import io.pageferry.agent.state.journal.StateDirectory;
import java.io.IOException;

final class SlotGate {
    static Daemon.Gate open(DaemonSettings settings, StateDirectory directory) throws IOException {
        throw new IOException("later");
    }
}
