package io.pageferry.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.migration.MigrationEvent;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No command is silent on a terminal, and none says anything twice. */
@Timeout(60)
class MigrationViewTest {
    private static final String WIPE = "\r\u001b[K";

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final Output output = new Output(new PrintStream(new ByteArrayOutputStream()),
            new PrintStream(written, true, StandardCharsets.UTF_8), false);

    private String text() {
        return written.toString(StandardCharsets.UTF_8);
    }

    private MigrationView view(boolean terminal) {
        return new MigrationView(output, ProgressMode.AUTO, terminal, System::nanoTime);
    }

    @Test
    void aTerminalShowsForHowLongAGuestIsBeingOpened() throws InterruptedException {
        MigrationView view = view(true);
        view.opening("qemu:/vm.sock");
        String first = "\ropening qemu:/vm.sock … 0.0 s\u001b[K";
        while (!text().startsWith(first) || text().equals(first)) {
            Thread.sleep(10);
        }
        view.on(MigrationEvent.info("the tracker"));
        assertTrue(text().endsWith(WIPE + "note     the tracker" + System.lineSeparator()),
                this::text);
        String then = text();
        view.opened();
        Thread.sleep(600);
        assertEquals(then, text(), "somebody goes on writing");
    }

    @Test
    void aFileGetsNoneOfThat() {
        MigrationView view = view(false);
        view.opening("qemu:/vm.sock");
        view.opened();
        assertEquals("", text());
    }
}
