package io.pageferry.core.outgoing.session;

import io.pageferry.core.round.LimitChange;
import io.pageferry.core.round.MigrationLimits;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The limits that hold: those that the migration began with, until others are asked for. Of the
 * migration's thread, but for {@link #ask}.
 */
public final class PresentLimits {
    private final SourceContext context;
    private final AtomicReference<MigrationLimits> asked = new AtomicReference<>();
    private final MigrationLimits.Policy policy;
    private MigrationLimits limits;

    PresentLimits(MigrationLimits limits, SourceContext context) {
        this.limits = limits;
        this.policy = limits.policy();
        this.context = context;
    }

    /** {@return what holds} */
    public MigrationLimits now() {
        return limits;
    }

    /**
     * Asks for others, which hold from the migration's next step on. Any thread.
     *
     * @param others that are to hold
     * @throws IllegalArgumentException where that cannot be; nothing is changed then
     */
    public void ask(MigrationLimits others) {
        Optional<String> refusal = others.obstacle()
                .or(() -> context.throttle().refusal(others.throttling()));
        if (others.policy() != policy) {
            throw new IllegalArgumentException("the policy of a migration stays "
                    + policy.label());
        }
        if (refusal.isPresent()) {
            throw new IllegalArgumentException(refusal.get());
        }
        asked.set(others);
    }

    /** Has those hold that were asked for; returns whether anything changed. */
    public boolean take() {
        MigrationLimits others = asked.getAndSet(null);
        if (others == null || others.equals(limits)) {
            return false;
        }
        for (LimitChange change : limits.changesTo(others,
                context.now() - context.startNanos())) {
            context.figures().changed(change);
            context.log("limits: " + change.line());
        }
        limits = others;
        context.runner().limiter().allow(limits);
        context.throttle().allow(limits.throttling());
        return true;
    }
}
