package io.pageferry.agent.cli.machine;

import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An address of an interface that is down, for as long as a question takes. */
final class TemporaryAddress {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration APPEARS = Duration.ofMinutes(1);
    private static final long PAUSE_MILLIS = 50;

    private final ProgramRunner runner;
    private final String name;
    private final String address;

    private TemporaryAddress(ProgramRunner runner, String name, String address) {
        this.runner = runner;
        this.name = name;
        this.address = address;
    }

    /** Sets one, of the form NAME=ADDRESS/BITS[,GATEWAY]; null sets none. */
    static TemporaryAddress set(ProgramRunner runner, String text) throws IOException {
        if (text == null) {
            return new TemporaryAddress(runner, null, null);
        }
        String name = text.substring(0, text.indexOf('='));
        String[] parts = text.substring(text.indexOf('=') + 1).split(",");
        awaitInterface(name);
        TemporaryAddress set = new TemporaryAddress(runner, name, parts[0]);
        boolean whole = false;
        try {
            set.ip("link", "set", "dev", name, "up");
            set.ip("address", "add", parts[0], "dev", name);
            if (parts.length > 1) {
                set.ip("route", "add", "default", "via", parts[1], "dev", name);
            }
            whole = true;
            return set;
        } finally {
            if (!whole) {
                set.close();
            }
        }
    }

    /** Its driver may still be loading. */
    private static void awaitInterface(String name) throws IOException {
        long end = System.nanoTime() + APPEARS.toNanos();
        while (!Files.exists(Path.of("/sys/class/net", name))) {
            if (System.nanoTime() - end > 0) {
                throw new IOException("there is no interface " + name);
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    private void ip(String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(words));
        runner.require(command, LIMIT);
    }

    /** Takes it off again, with the routes over it. */
    void close() {
        if (name == null) {
            return;
        }
        try {
            ip("address", "del", address, "dev", name);
        } catch (IOException e) {
            // It was not set.
            return;
        } finally {
            down();
        }
    }

    private void down() {
        try {
            ip("link", "set", "dev", name, "down");
        } catch (IOException e) {
            // It is gone.
            return;
        }
    }
}
