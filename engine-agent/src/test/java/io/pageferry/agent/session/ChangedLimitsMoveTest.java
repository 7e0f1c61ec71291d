package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A move that would take long gets more of the link, and says so in its report. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ChangedLimitsMoveTest {
    @TempDir
    private Path folder;

    @Test
    void aMoveThatIsGivenMoreOfTheLinkEndsSooner() throws Exception {
        CompletableFuture<SocketAddress> address = new CompletableFuture<>();
        TargetAgent target = new TargetAgent(Workloads.receive(folder),
                MigrationListener.silent(), address::complete, result -> { });
        Thread receiving = Thread.ofPlatform().start(target::run);
        MigrationLimits slow = MigrationLimits.defaults().with(
                new Bandwidth(Bandwidth.LEAST, Bandwidth.LEAST));
        SourceSession source = Workloads.migrate(folder, address.get(), "",
                SourceOptions.defaults().withLimits(slow));
        Thread moving = Thread.ofPlatform().start(() -> AgentLoop.run(source));
        // 8 MiB, of which a third is zero, take 20 s and more at that rate; no page was sent yet.
        assertFalse(moving.join(Duration.ofMillis(200)));
        source.limits(MigrationLimits.defaults());
        assertEquals(MigrationLimits.defaults(), source.limits());
        moving.join();
        receiving.join();
        assertEquals(Result.COMPLETED, source.result().outcome().result(),
                source.result().outcome()::reason);
        JsonNode changes = source.result().report().json().path("limitsChanged");
        assertEquals(2, changes.size(), changes::toString);
        assertEquals("bandwidth", changes.at("/0/what").asText());
        assertEquals("125000B/s", changes.at("/0/from").asText());
        assertEquals("none", changes.at("/0/to").asText());
        assertEquals("bandwidth-switchover", changes.at("/1/what").asText());
    }
}
