package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two guests leave each of two state directories for the other one, all within this process. */
class ManySessionsTest {
    private static final int EACH_WAY = 2;

    @TempDir
    private Path folder;

    private final List<SourceSession> sources = new ArrayList<>();
    private final List<TargetAgent> targets = new ArrayList<>();

    /** Makes a target, and a source that finds it once it listens. */
    private CompletableFuture<SocketAddress> target(Path state) {
        CompletableFuture<SocketAddress> address = new CompletableFuture<>();
        targets.add(new TargetAgent(Workloads.receive(state), MigrationListener.silent(),
                address::complete, result -> { }));
        return address;
    }

    private SourceSession source(Path state, SocketAddress target) {
        SourceSession source = Workloads.migrate(state, target);
        sources.add(source);
        return source;
    }

    private Path state(int migration, int side) {
        return folder.resolve((migration + side) % 2 == 0 ? "here" : "there");
    }

    private void assertAllMoved() {
        assertEquals(2 * EACH_WAY, sources.size());
        for (AgentResult result : Stream.concat(sources.stream().map(SourceSession::result),
                targets.stream().map(TargetAgent::result)).toList()) {
            JsonNode json = result.report().json();
            assertEquals(Result.COMPLETED, result.outcome().result(), json::toString);
            assertTrue(json.at("/verification/match").asBoolean(), json::toString);
        }
        assertEquals(sources.stream().map(one -> id(one.result())).toList(),
                targets.stream().map(one -> id(one.result())).toList());
    }

    private static String id(AgentResult result) {
        return result.report().json().path("migrationId").asText();
    }

    @Test
    void oneThreadRunsThemAll() {
        List<FiniteAgent> agents = new ArrayList<>();
        for (int i = 0; i < 2 * EACH_WAY; i++) {
            CompletableFuture<SocketAddress> address = target(state(i, 1));
            targets.getLast().onStart();
            agents.add(targets.getLast());
            agents.add(source(state(i, 0), address.join()));
            sources.getLast().onStart();
        }
        while (agents.stream().anyMatch(agent -> !agent.isDone())) {
            if (agents.stream().filter(agent -> !agent.isDone())
                    .mapToInt(FiniteAgent::doWork).sum() == 0) {
                LockSupport.parkNanos(50_000);
            }
        }
        agents.forEach(FiniteAgent::onClose);
        assertAllMoved();
    }

    @Test
    void eachHasAThreadOfItsOwn() throws Exception {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < 2 * EACH_WAY; i++) {
                CompletableFuture<SocketAddress> address = target(state(i, 1));
                TargetAgent target = targets.getLast();
                ends.add(threads.submit(() -> AgentLoop.run(target)));
                SourceSession source = source(state(i, 0), address.get());
                ends.add(threads.submit(() -> AgentLoop.run(source)));
            }
            for (Future<?> end : ends) {
                end.get();
            }
        }
        assertAllMoved();
    }
}
