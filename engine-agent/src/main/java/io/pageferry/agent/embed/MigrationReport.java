package io.pageferry.agent.embed;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.core.migration.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * How a migration ended for one side and what was measured: the report of the command line,
 * {@code pageferry.report/1}, as JSON and its most asked for values. Immutable; any thread. A value
 * of a migration that ended before it was known is 0 or empty.
 */
public final class MigrationReport {
    private final Outcome outcome;
    private final JsonNode report;

    MigrationReport(AgentResult result) {
        this.outcome = result.outcome();
        this.report = result.report().json();
    }

    /** {@return how it ended, with code, reason and remedy where it did not complete} */
    public Outcome outcome() {
        return outcome;
    }

    /** {@return whether the guest runs at the target} */
    public boolean isCompleted() {
        return outcome.result() == Outcome.Result.COMPLETED;
    }

    /** {@return the whole report, one JSON object on one line} */
    public String json() {
        return report.toString();
    }

    /** {@return the migration's name, empty where none began} */
    public Optional<UUID> migrationId() {
        return Optional.ofNullable(report.path("migrationId").textValue()).map(UUID::fromString);
    }

    /** {@return from the first byte of negotiation to the target running} */
    public Duration total() {
        return millis("/totalMs");
    }

    /** {@return from the request to pause to the target running, by the source's clock} */
    public Duration downtime() {
        return millis("/downtimeMs");
    }

    /** {@return rounds that the source made, the stop-and-copy round among them} */
    public int rounds() {
        return report.path("rounds").size();
    }

    /** {@return bytes of the guest's memory that were sent or received, each time they were} */
    public long guestBytes() {
        return report.path("guestBytes").asLong();
    }

    /** {@return bytes on the wire, with headers} */
    public long wireBytes() {
        return report.path("wireBytes").asLong();
    }

    /** {@return bytes of the device state} */
    public long deviceStateBytes() {
        return report.path("deviceStateBytes").asLong();
    }

    /** {@return how often a lost link was taken up again} */
    public int reconnects() {
        return report.path("reconnects").asInt();
    }

    /** {@return whether image and source were compared and equal} */
    public boolean isVerified() {
        return report.at("/verification/match").asBoolean();
    }

    @Override
    public String toString() {
        return json();
    }

    private Duration millis(String pointer) {
        return Duration.ofNanos(Math.round(report.at(pointer).asDouble() * 1e6));
    }
}
