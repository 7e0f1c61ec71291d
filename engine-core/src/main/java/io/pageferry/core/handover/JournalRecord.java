package io.pageferry.core.handover;

/**
 * One durable step of a handover.
 *
 * @param state what was decided
 * @param epoch the attempt, from 1
 * @param ran   whether the guest ran before it was paused: only what ran is ever resumed
 * @param note  for people: why
 */
public record JournalRecord(JournalState state, long epoch, boolean ran, String note) {
}
