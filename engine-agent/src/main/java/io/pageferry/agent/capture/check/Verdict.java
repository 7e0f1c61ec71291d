package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.frame.FrameType.From;
import io.pageferry.agent.capture.frame.Rule;
import java.util.List;

/**
 * What was found in a capture.
 *
 * @param connections how many there are
 * @param frames      how many were checked
 * @param violations  the first of each session, and of each connection without one
 */
public record Verdict(int connections, long frames, List<Violation> violations) {
    /**
     * A rule that does not hold.
     *
     * @param rule       which rule
     * @param connection its number in the capture, from 1
     * @param from       who sent it
     * @param offset     of the frame or the preamble, in what that side sent on the connection
     * @param what       in words
     */
    public record Violation(Rule rule, int connection, From from, long offset, String what) { }
}
