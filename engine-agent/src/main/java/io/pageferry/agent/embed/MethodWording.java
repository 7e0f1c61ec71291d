package io.pageferry.agent.embed;

import io.pageferry.core.outgoing.session.Wording;
import java.util.UUID;

/** Names limits and remedies as the embedder's program does: by method. */
final class MethodWording implements Wording {
    @Override
    public String name(Limit limit) {
        return switch (limit) {
            case TIMEOUT -> "MigrationLimits.timeoutNanos";
            case MAX_SWITCHOVER -> "MigrationLimits.maxSwitchoverNanos";
        };
    }

    @Override
    public String advice(Remedy remedy, UUID migration) {
        return switch (remedy) {
            case ASK_TARGET -> "OutgoingMigration.settle asks again; when the target is certain to"
                    + " be off: OutgoingMigration.targetIsFenced";
            case FREE_GUEST -> "free what holds it, then: OutgoingMigration.settle";
            case EASE_LIMITS -> "slow its writes down (MigrationLimits.throttling), or allow a"
                    + " longer pause (maxDowntimeNanos, maxSwitchoverNanos) or more time"
                    + " (timeoutNanos)";
        };
    }
}
