package io.pageferry.core.simulation;

import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestIncomingGuest;

/** The guests of a simulation, which outlive their agents, as a recovery reaches them. */
final class SimulatedHandles {
    private SimulatedHandles() {
    }

    record AtSource(TestGuest guest) implements GuestHandle {
        @Override
        public Condition condition() {
            return guest.isRunning() ? Condition.RUNNING : Condition.PAUSED;
        }

        @Override
        public void unthrottle() {
            guest.throttle().ifPresent(WriteThrottle::close);
        }

        @Override
        public void resume() throws GuestException {
            if (!guest.isRunning()) {
                guest.resume();
            }
        }

        @Override
        public void end() throws GuestException {
            guest.end();
        }

        @Override
        public void forget() {
            throw new AssertionError("a source's guest was forgotten");
        }

        @Override
        public void close() {
            // The simulation closes the guest.
        }
    }

    record AtTarget(TestIncomingGuest guest, Simulation simulation) implements GuestHandle {
        @Override
        public Condition condition() {
            if (simulation.log.count("target.discard") > 0) {
                return Condition.GONE;
            }
            return guest.isRunning() ? Condition.RUNNING
                    : guest.isLoaded() ? Condition.PAUSED : Condition.WAITING;
        }

        @Override
        public void resume() throws GuestException {
            guest.resume();
        }

        @Override
        public void end() {
            guest.discard();
        }

        @Override
        public void forget() {
            guest.discard();
        }

        @Override
        public void close() {
            // The simulation closes the guest.
        }
    }
}
