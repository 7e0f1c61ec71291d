package io.pageferry.bench.move;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Moves a tiny guest by the launcher of any build, as a person would. */
final class LauncherPair {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String GUEST = "workload:4MiB";
    private static final long LIMIT_SECONDS = 120;

    private LauncherPair() {
    }

    /** Returns the source's report; journals are in the folder. */
    static JsonNode move(Path launcher, Path folder) throws IOException {
        Process target = start(launcher, folder, "receive", GUEST, "--listen", "127.0.0.1:0",
                "--once");
        try {
            JsonNode listening = await(target, "listening");
            Process source = start(launcher, folder, "migrate", GUEST + "?rate=0", "--to",
                    listening.path("address").asText());
            try {
                return await(source, "report");
            } finally {
                end(source);
            }
        } finally {
            end(target);
        }
    }

    private static Process start(Path launcher, Path folder, String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(words));
        command.addAll(List.of("--json", "--progress", "none", "--state-dir", folder.toString()));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static JsonNode await(Process process, String event) throws IOException {
        BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode one = JSON.readTree(line);
            if (one.path("event").asText().equals(event)) {
                return one;
            }
        }
        throw new IOException("a command ended without its " + event);
    }

    private static void end(Process process) throws IOException {
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
