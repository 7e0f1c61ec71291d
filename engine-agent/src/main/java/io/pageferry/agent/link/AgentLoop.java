package io.pageferry.agent.link;

import java.lang.System.Logger.Level;
import java.util.function.IntConsumer;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/** Runs an agent on the calling thread until it is done, and closes it: the one duty cycle. */
public final class AgentLoop {
    /** Spins and yields are few: source and target may share two cores with their guest. */
    private static final int SPINS = 10;
    private static final int YIELDS = 20;
    private static final long MIN_PARK_NANOS = 1_000;

    /** Longest pause: adds at most this to a round trip, three of which are in the downtime. */
    private static final long MAX_PARK_NANOS = 200_000;

    private AgentLoop() {
    }

    /** {@return what a thread does while there is nothing to do} */
    public static IdleStrategy idleStrategy() {
        return idleStrategy(MAX_PARK_NANOS);
    }

    /**
     * Gives what a thread does while there is nothing to do.
     *
     * @param mostNanos longest pause
     * @return a strategy that spins, yields, and pauses longer and longer
     */
    public static IdleStrategy idleStrategy(long mostNanos) {
        return new BackoffIdleStrategy(SPINS, YIELDS, MIN_PARK_NANOS, mostNanos);
    }

    /**
     * Runs an agent. An interrupt of the thread does not end it.
     *
     * @param agent  to run
     * @param errors gets what the agent threw, before the caller does
     */
    public static void run(FiniteAgent agent, ErrorHandler errors) {
        run(agent, idleStrategy()::idle, errors);
    }

    private static void run(FiniteAgent agent, IntConsumer rest, ErrorHandler errors) {
        try {
            agent.onStart();
            while (!agent.isDone()) {
                rest.accept(agent.doWork());
            }
        } catch (RuntimeException | Error e) {
            errors.onError(e);
            throw e;
        } finally {
            agent.onClose();
        }
    }

    /**
     * Runs an agent; the stack of what it threw is logged under its name. At DEBUG: the caller gets
     * the exception, and the commands show it with {@code --verbose}.
     *
     * @param agent to run
     */
    public static void run(FiniteAgent agent) {
        runResting(agent, idleStrategy()::idle);
    }

    /**
     * Runs an agent that may rest for longer, as above.
     *
     * @param agent to run
     * @param rest  gets how much each cycle did, and waits where that was nothing
     */
    public static void runResting(FiniteAgent agent, IntConsumer rest) {
        run(agent, rest, e -> System.getLogger(AgentLoop.class.getName())
                .log(Level.DEBUG, agent.roleName() + " broke", e));
    }
}
