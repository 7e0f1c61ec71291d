package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.FrameType.From;
import io.pageferry.agent.capture.frame.FrameType;
import io.pageferry.agent.capture.frame.Rule;
import java.util.EnumSet;
import java.util.Set;

/** Whether both sides prove the secret before anything else, on one connection; PROTOCOL.md §12. */
final class Proofs {
    private final Set<From> challenged = EnumSet.noneOf(From.class);
    private final Set<From> proved = EnumSet.noneOf(From.class);

    /** Takes a frame, the first of its side or not; true where it is a part of the proofs. */
    boolean take(From from, FrameType type, boolean first) throws Breach {
        switch (type) {
            case CHALLENGE -> {
                unless(first, Rule.CHALLENGE_FIRST, "CHALLENGE behind other frames");
                challenged.add(from);
                return true;
            }
            case PROOF -> {
                unless(challenged.size() == From.values().length
                        && proved.size() == (from == From.SOURCE ? 0 : 1), Rule.PROOF_ORDER,
                        "PROOF of the " + (from == From.SOURCE ? "source" : "target") + " behind "
                        + challenged.size() + " challenges and " + proved.size() + " proofs");
                proved.add(from);
                return true;
            }
            case HEARTBEAT, FAILURE -> {
                return false;
            }
            default -> {
                unless(!challenged.contains(from) || proved.contains(From.TARGET),
                        Rule.PROOF_MISSING, type + " of a side that sent CHALLENGE, before the"
                        + " target's PROOF");
                return false;
            }
        }
    }
}
