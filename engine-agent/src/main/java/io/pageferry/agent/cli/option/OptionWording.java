package io.pageferry.agent.cli.option;

import io.pageferry.core.outgoing.session.Wording;
import java.util.UUID;

/** Names limits and remedies as the commands do: by option and by command. */
public final class OptionWording implements Wording {
    @Override
    public String name(Limit limit) {
        return "--" + limit.label();
    }

    @Override
    public String advice(Remedy remedy, UUID migration) {
        String settle = "pageferry settle " + migration;
        return switch (remedy) {
            case ASK_TARGET -> settle + " asks again; when the target is certain to be off: "
                    + settle + " --source --target-is-fenced";
            case FREE_GUEST -> "free what holds it, then: " + settle;
            case EASE_LIMITS -> "slow its writes down with --throttle auto, or allow a longer pause"
                    + " (--max-downtime, --max-switchover) or more time (--timeout)";
        };
    }
}
