package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.store.HistoryLimits;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import java.nio.file.Path;

/**
 * What a daemon is told when it starts.
 *
 * @param stateDirectory of this agent alone, or null for the user's
 * @param listen         where sources come in
 * @param maxParallel    moves out at a time
 * @param bandwidth      bytes a second that they share, 0 for no bound
 * @param history        what is kept of those that ended
 * @param guests         file of the address book
 * @param settleNanos    longest wait for another side's answer
 * @param peers          how sources and targets are known
 */
public record DaemonSettings(Path stateDirectory, Listener listen, int maxParallel,
        long bandwidth, HistoryLimits history, Path guests, long settleNanos, PeerTrust peers) {
    DaemonSettings in(Path directory) {
        return new DaemonSettings(directory, listen, maxParallel, bandwidth, history, guests,
                settleNanos, peers);
    }
}
