package io.pageferry.agent.daemon;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.session.MigrateSettings;
import java.nio.file.Path;
import java.util.Map;

/** Turns the words of calls into settings, as the command line does. For any thread. */
public interface MoveWords {
    /**
     * Reads what a caller wants.
     *
     * @param request        in words
     * @param guest          whose URI it is
     * @param stateDirectory of the journals
     * @return the settings
     * @throws CallException where a word makes no sense
     */
    MigrateSettings settings(MoveRequest request, GuestUri guest, Path stateDirectory);

    /**
     * Gives the limits that may be changed while a guest moves.
     *
     * @param options as in a request
     * @return bandwidth, maxDowntime, throttle, maxStolen, onNoConvergence and timeout as text, in
     *         that order; null where there is none
     * @throws CallException where a word makes no sense
     */
    Map<String, String> limits(Map<String, String> options);

    /**
     * Finds the way to the other side of a journal.
     *
     * @param peer of the journal
     * @return the way; null where it has no address
     * @throws CallException where the address may not be used
     */
    Connector connector(String peer);
}
