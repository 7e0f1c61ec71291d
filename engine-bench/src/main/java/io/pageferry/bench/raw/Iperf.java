package io.pageferry.bench.raw;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** One stream of iperf3 over loopback: a server and a client, as processes. */
final class Iperf {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NULL = "/dev/null";

    private Iperf() {
    }

    /** Whether this host has it. */
    static boolean isInstalled() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "iperf3")));
    }

    /** Sends so many bytes; gives bytes a second as the receiver saw them. */
    static double bytesPerSecond(long bytes) throws IOException {
        String port = freePort();
        Process server = new ProcessBuilder("iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", port,
                "--forceflush").redirectErrorStream(true).start();
        try {
            awaitListening(server);
            Process client = new ProcessBuilder(List.of("iperf3", "-c", "127.0.0.1", "-p", port,
                    "-n", Long.toString(bytes), "-J"))
                    .redirectInput(new File(NULL)).redirectErrorStream(true).start();
            JsonNode answer = JSON.readTree(client.getInputStream());
            if (answer.hasNonNull("error")) {
                throw new IOException("iperf3: " + answer.path("error").asText());
            }
            double rate = answer.at("/end/sum_received/bits_per_second").asDouble() / 8;
            if (!(rate > 0)) {
                throw new IOException("iperf3 gave no rate");
            }
            return rate;
        } finally {
            server.destroy();
        }
    }

    private static String freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return Integer.toString(socket.getLocalPort());
        }
    }

    private static void awaitListening(Process server) throws IOException {
        BufferedReader lines = server.inputReader();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith("Server listening")) {
                return;
            }
        }
        throw new IOException("iperf3 -s did not start");
    }
}
