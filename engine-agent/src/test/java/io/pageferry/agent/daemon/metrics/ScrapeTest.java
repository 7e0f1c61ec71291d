package io.pageferry.agent.daemon.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.cli.trust.TestTrust;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.api.ApiListener;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The metrics by Prometheus itself, and the alerts by its own checker. */
class ScrapeTest {
    private static final Path RULES =
            Path.of("..", "packaging", "prometheus", "pageferry.rules.yml");
    private static final Path BOARD = Path.of("..", "packaging", "grafana", "pageferry.json");

    private static final String EXPIRY = "pageferry_certificate_expiry_timestamp_seconds";

    @TempDir
    private Path folder;

    @Test
    void prometheusTakesTheFiguresAndTheAlertsNameThem() throws Exception {
        DaemonMetrics metrics = new DaemonMetrics();
        metrics.gauge("pageferry_in_doubt", "In doubt", () -> 3);
        Path config = folder.resolve("prometheus.yml");
        try (ApiListener listener = ApiListener.onLoopback(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new MetricsPage(metrics), Throwable::printStackTrace)) {
            Files.writeString(config, """
                    global: {scrape_interval: 1s}
                    rule_files: [%s]
                    scrape_configs:
                      - job_name: pageferry
                        static_configs: [{targets: ['127.0.0.1:%d']}]
                    """.formatted(RULES.toRealPath(), listener.port()));
            check("promtool", "check", "rules", RULES.toString());
            check("promtool", "check", "config", config.toString());
            int port = freePort();
            Process prometheus = new ProcessBuilder("prometheus", "--config.file=" + config,
                    "--storage.tsdb.path=" + folder.resolve("data"),
                    "--web.listen-address=127.0.0.1:" + port).redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile()).start();
            try {
                Poll.until(() -> value(port, "pageferry_in_doubt").equals("3"),
                        () -> "Prometheus has no figure");
                assertEquals("1", value(port, "up{job=\"pageferry\"}"));
                assertEquals("0", value(port,
                        "pageferry_migrations_total{result=\"completed\"}"));
            } finally {
                prometheus.destroy();
                assertTrue(prometheus.waitFor(60, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void aCertificateThatExpiresSoonIsAlerted() throws Exception {
        TestTrust trust = new TestTrust(folder.resolve("trust")).issue("here");
        PeerTrust peers = PeerTrust.of(Optional.of(TlsOptions.of(new TlsFiles(
                trust.file("here.crt"), trust.file("here.key"), trust.file("ca.crt")),
                Set.of())));
        DaemonMetrics metrics = new DaemonMetrics();
        metrics.certificate(peers::certificateExpiry);
        long expiry = peers.certificateExpiry().orElseThrow().getEpochSecond();
        assertTrue(expiry > Instant.now().getEpochSecond(), "it is valid");
        String text = new String(metrics.text(), StandardCharsets.UTF_8);
        double shown = text.lines().filter(line -> line.startsWith(EXPIRY + " "))
                .mapToDouble(line -> Double.parseDouble(line.split(" ")[1])).sum();
        assertEquals(expiry, shown, text);
        Files.delete(trust.file("here.crt"));
        assertEquals(Optional.empty(), peers.certificateExpiry());
        assertFalse(new String(metrics.text(), StandardCharsets.UTF_8).contains(EXPIRY + " "));

        // Two hosts, whose certificates expire 13 and 15 days after the start of promtool's clock.
        Path test = Files.writeString(folder.resolve("test.yml"), """
                rule_files: [%s]
                tests:
                  - interval: 1m
                    input_series:
                      - {series: '%s{instance="soon"}', values: '1123200+0x180'}
                      - {series: '%s{instance="late"}', values: '1296000+0x180'}
                    alert_rule_test:
                      - eval_time: 2h
                        alertname: PageferryCertificateExpires
                        exp_alerts:
                          - exp_labels: {severity: warning, instance: soon}
                            exp_annotations:
                              summary: "The certificate of soon expires in 12d 22h 0m 0s"
                              description: "No guest can be moved to or from this host then. \
                Renew it: pageferry trust issue; the agent reads the new files by itself."
                """.formatted(RULES.toRealPath(), EXPIRY, EXPIRY));
        check("promtool", "test", "rules", test.toString());
    }

    @Test
    void theBoardShowsWhatTheAgentCounts() throws IOException {
        String text = new String(new DaemonMetrics().text(), StandardCharsets.UTF_8);
        JsonNode board = new ObjectMapper().readTree(BOARD.toFile());
        for (String name : List.of("pageferry_migrations_total", "pageferry_migration_seconds",
                "pageferry_migration_downtime_seconds")) {
            assertTrue(board.toString().contains(name), name);
            assertTrue(text.contains(name), name);
        }
    }

    private static void check(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    private static int freePort() throws IOException {
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return any.getLocalPort();
        }
    }

    /** Returns the one value of a query; empty as long as there is none. */
    private static String value(int port, String query) {
        try (InputStream answer = URI.create("http://127.0.0.1:" + port + "/api/v1/query?query="
                + URLEncoder.encode(query, StandardCharsets.UTF_8)).toURL().openStream()) {
            return new ObjectMapper().readTree(answer).at("/data/result/0/value/1").asText();
        } catch (IOException e) {
            return "";
        }
    }
}
