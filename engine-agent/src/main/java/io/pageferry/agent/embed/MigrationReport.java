package io.pageferry.agent.embed;

import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.core.migration.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * How a migration ended for one side and what was measured. Immutable; any thread. A value of a
 * migration that ended before it was known is 0 or empty.
 *
 * @param outcome          how it ended, with code, reason and remedy where it did not complete
 * @param migrationId      the migration's name, empty where none began
 * @param total            from the first byte of negotiation to the target running
 * @param downtime         from the request to pause to the target running, by the source's clock
 * @param rounds           that the source made, the stop-and-copy round among them
 * @param guestBytes       of the guest's memory that were sent or received, each time they were
 * @param wireBytes        on the wire, with headers
 * @param deviceStateBytes of the device state
 * @param reconnects       how often a lost link was taken up again
 * @param isVerified       whether image and source were compared and equal
 * @param json             the report of the command line, {@code pageferry.report/1}, on one line
 */
public record MigrationReport(Outcome outcome, Optional<UUID> migrationId, Duration total,
        Duration downtime, int rounds, long guestBytes, long wireBytes, long deviceStateBytes,
        int reconnects, boolean isVerified, String json) {
    private static final Report.Traffic NO_TRAFFIC = new Report.Traffic(0, 0, 0, 0, 0);

    static MigrationReport of(AgentResult result) {
        Report report = result.report();
        Optional<Report.Body> body = report.body();
        Report.Traffic traffic = body.map(Report.Body::traffic).orElse(NO_TRAFFIC);
        return new MigrationReport(result.outcome(), body.map(all -> all.begin().migrationId()),
                Duration.ofNanos(body.map(all -> all.times().totalNanos()).orElse(0L)),
                Duration.ofNanos(body.map(all -> all.times().downtimeNanos()).orElse(0L)),
                body.map(all -> all.rounds().size()).orElse(0), traffic.guestBytes(),
                traffic.wireBytes(), traffic.stateBytes(), traffic.reconnects(),
                body.flatMap(all -> all.proof().match()).orElse(false),
                report.json().toString());
    }

    /** {@return whether the guest runs at the target} */
    public boolean isCompleted() {
        return outcome.result() == Outcome.Result.COMPLETED;
    }

    @Override
    public String toString() {
        return json;
    }
}
