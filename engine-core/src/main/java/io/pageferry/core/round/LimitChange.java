package io.pageferry.core.round;

/**
 * One limit that was changed while a migration ran. The values are for people: milliseconds, bytes
 * per second, percent, or the words of the options.
 *
 * @param atNanos since the migration began
 * @param what    the limit, as the option for it is called, without hyphens in front
 * @param from    what held before
 * @param to      what holds from then on
 */
public record LimitChange(long atNanos, String what, String from, String to) {
    /** {@return it in one line} */
    public String line() {
        return what + " from " + from + " to " + to;
    }
}
