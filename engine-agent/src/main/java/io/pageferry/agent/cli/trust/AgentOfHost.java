package io.pageferry.agent.cli.trust;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.cli.remote.ApiArguments;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.trust.Issuance;
import io.pageferry.agent.trust.JoinToken;
import io.pageferry.agent.trust.PeerContexts;
import io.pageferry.agent.trust.TrustFolder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.netty.alpn.HttpProtocols;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The agent of this host, as the trust commands deal with it.
 *
 * @param api    where it is asked
 * @param output where people read what to do next
 */
record AgentOfHost(ApiArguments api, Output output) {
    private static final int PORT = 4477;
    private static final int RESTART_SECONDS = 120;
    private static final String UNIT = "pageferry-agent.service";
    private static final Path SYSTEMD = Path.of("/run/systemd/system");
    /** Of these a certificate has some too, and no other host reaches this one by them. */
    private static final List<String> HERE_ALONE = List.of("localhost", "127.0.0.1", "::1");

    /** Returns where hosts that join reach it: by the first name in this host's certificate. */
    String address(TrustFolder trust) throws IOException {
        String name = trust.hasOwn() ? Issuance.of(trust).nameOfOwn()
                .filter(one -> !HERE_ALONE.contains(one)).orElse("") : "";
        if (name.isEmpty()) {
            throw new GuestException(ErrorCode.HOST_FAILED, "nothing in " + trust.path()
                    + " says by which name others reach this host", "give --address HOST:PORT");
        }
        return (name.contains(":") ? "[" + name + "]" : name) + ":" + port();
    }

    private int port() {
        Optional<JsonNode> health = ask("/v1/health");
        String listen = health.map(one -> one.path("listen").asText()).orElse("");
        String port = listen.substring(listen.lastIndexOf(':') + 1);
        return port.matches("\\d{1,5}") ? Integer.parseInt(port) : PORT;
    }

    private Optional<JsonNode> ask(String path) {
        try {
            Optional<ApiClient> client = api.present(Optional.empty());
            return client.isEmpty() ? Optional.empty()
                    : Optional.of(client.get().call("GET", path));
        } catch (IOException e) {
            // Nothing that a trust command does needs it.
            return Optional.empty();
        }
    }

    /** Says so at once where a token would be of no use. */
    void seeIfItTakesHosts(JoinToken token) {
        try {
            ApiClient.overTls(token.address(), PeerContexts.pinned(token.pin()),
                    HttpProtocols.JOIN).probe();
        } catch (IOException e) {
            output.note("warning  nobody can join yet: " + e.getMessage() + "; the agent of this"
                    + " host has to run with --trust-dir and this folder");
        }
    }

    /**
     * Has the agent of a package take up new certificates: it listens to other hosts with them.
     * One that moves guests is left alone.
     */
    void takeUp(TrustFolder trust, String next) {
        if (!trust.path().equals(TrustFolder.USUAL) || !Files.isDirectory(SYSTEMD)
                || !systemctl("is-active", "--quiet", UNIT)) {
            output.note("note     start the agent anew (--trust-dir " + trust.path() + "), or give"
                    + " its files to the commands; " + next);
        } else if (isMoving()) {
            output.note("note     guests are moving: when they are done, systemctl restart " + UNIT
                    + "; " + next);
        } else if (systemctl("restart", UNIT)) {
            output.note("note     restarted " + UNIT + ": it listens to other hosts now, by TLS; "
                    + next);
        } else {
            output.note("warning  " + UNIT + " does not start: journalctl -u " + UNIT
                    + " says why");
        }
    }

    private boolean isMoving() {
        return List.of("queued", "running").stream().anyMatch(phase ->
                ask("/v1/migrations?phase=" + phase).map(all -> !all.path("migrations").isEmpty())
                        .orElse(false));
    }

    private static boolean systemctl(String... words) {
        try {
            List<String> command = new ArrayList<>(List.of(words));
            command.addFirst("systemctl");
            Process process = new ProcessBuilder(command).inheritIO()
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return process.waitFor(RESTART_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
