package io.pageferry.agent.e2e;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.state.guard.GuardProcess;
import java.io.IOException;

/** Main program of an agent that has its guard inject again and again, until it is killed. */
final class InjectingAgent {
    private InjectingAgent() {
    }

    public static void main(String[] arguments) throws IOException {
        long pid = Long.parseLong(arguments[0]);
        try (GuardProcess guard = GuardProcess.start()) {
            while (true) {
                Processes.closeDescriptor(guard.userfault(pid));
            }
        }
    }
}
