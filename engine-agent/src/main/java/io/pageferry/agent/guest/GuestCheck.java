package io.pageferry.agent.guest;

/**
 * What a guest that checks itself found; {@code guestCheck} of the report. A value that this side
 * cannot know is null.
 *
 * @param ticksSource ticks seen at the source
 * @param ticksTarget ticks seen at the target
 * @param lostTicks   ticks missing in between
 * @param failures    wrong contents found
 */
public record GuestCheck(Long ticksSource, Long ticksTarget, Long lostTicks, Long failures) {
}
