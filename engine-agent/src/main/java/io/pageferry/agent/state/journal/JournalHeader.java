package io.pageferry.agent.state.journal;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Map;
import java.util.UUID;

/**
 * The first line of a journal: what another process needs to finish the migration.
 *
 * @param schema      {@link #SCHEMA}
 * @param migration   names it
 * @param side        whose journal it is
 * @param guest       the guest's URI as it was given
 * @param peer        HOST:PORT of the target at the source; empty at the target
 * @param createdMillis since 1970, for people
 * @param recoveryAddress       how to reach the guest again, as of its kind; empty for a guest that
 *                    dies with its agent. {@link #IDENTITY} names the guest's lock
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record JournalHeader(String schema, UUID migration, Side side, String guest, String peer,
        long createdMillis, Map<String, String> recoveryAddress) {
    /** The format of this and the lines that follow. */
    public static final String SCHEMA = "pageferry.journal/1";

    /** Key in {@link #recoveryAddress} of what the guest is locked by. */
    public static final String IDENTITY = "identity";
}
