package io.pageferry.agent.daemon.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.agent.daemon.Migration;
import io.pageferry.agent.daemon.MoveRequest;
import io.pageferry.agent.report.Output;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.words.Quantity;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What concerns migrations. */
final class MigrationRoutes {
    private static final String PATH = "/v1/migrations";
    private static final int MOST_LISTED = 1000;
    private static final int LISTED = 200;
    private static final String WAIT = "60s";
    private static final long LONGEST_WAIT_NANOS = 600_000_000_000L;

    private final Daemon daemon;

    MigrationRoutes(Daemon daemon) {
        this.daemon = daemon;
    }

    List<Route> all() {
        return List.of(
                new Route("GET", PATH, (call, none) -> list(call)),
                new Route("POST", PATH, (call, none) -> submit(call)),
                new Route("GET", PATH + "/{id}", this::show),
                new Route("PATCH", PATH + "/{id}", this::limit),
                new Route("POST", PATH + "/{id}/cancel", this::cancel),
                new Route("POST", PATH + "/{id}/settle", this::settle),
                new Route("GET", PATH + "/{id}/report", this::report),
                new Route("GET", PATH + "/{id}/log", this::log),
                new Route("GET", PATH + "/{id}/rounds", this::rounds),
                new Route("GET", PATH + "/{id}/map", this::map));
    }

    private HttpAnswer list(HttpCall call) {
        String phase = call.query().getOrDefault("phase", "");
        int most = most(call.query().get("limit"));
        Stream<ObjectNode> live = phase.equals("ended") ? Stream.of()
                : daemon.migrations().live().stream().map(Migration::json);
        Stream<ObjectNode> past = phase.isEmpty() || phase.equals("ended")
                ? daemon.past(most).stream() : Stream.of();
        ObjectNode body = Output.object();
        ArrayNode migrations = body.putArray("migrations");
        Stream.concat(live, past)
                .filter(one -> phase.isEmpty() || one.path("phase").asText().equals(phase))
                .forEach(one -> migrations.add(one.putNull("report")));
        return Answers.json(Answers.OK, body);
    }

    private static int most(String text) {
        if (text == null) {
            return LISTED;
        }
        try {
            int most = Integer.parseInt(text);
            if (most >= 1 && most <= MOST_LISTED) {
                return most;
            }
        } catch (NumberFormatException e) {
            // It is refused below.
        }
        throw new CallException(Why.USAGE, "limit " + text + " is not in 1 to " + MOST_LISTED,
                "leave it out for " + LISTED);
    }

    private HttpAnswer submit(HttpCall call) {
        Body body = Body.read(call.body(), List.of("guest", "to", "slot", "options"));
        MoveRequest request = new MoveRequest(body.required("guest"), body.required("to"),
                body.optional("slot", ""), body.texts("options"));
        if (isPeer(call)) {
            daemon.guests().named(request.guest());
        }
        UUID id = daemon.migrations().submit(request,
                Optional.ofNullable(call.headers().get("idempotency-key")));
        ObjectNode accepted = daemon.find(id, Optional.of(Side.SOURCE)).orElseThrow(() ->
                new CallException(Why.CONFLICT, "this Idempotency-Key was used for migration " + id
                        + ", of which nothing is kept any more", "use a new key for a new move"));
        accepted.remove("log");
        return Answers.json(Answers.ACCEPTED, accepted, Map.of("Location", PATH + "/" + id));
    }

    private HttpAnswer show(HttpCall call, String id) {
        String wait = call.query().getOrDefault("wait", "");
        Optional<Migration> live = daemon.migrations().find(uuid(id), side(call));
        if (wait.isEmpty() || live.isEmpty()) {
            return Answers.json(Answers.OK, resource(call, id));
        }
        if (!wait.equals("ended")) {
            throw new CallException(Why.USAGE, "wait=" + wait + " is not known",
                    "wait=ended waits for the end");
        }
        long nanos = nanos(call.query().getOrDefault("timeout", WAIT));
        return new HttpAnswer.Later(() -> ended(live.get(), nanos));
    }

    private static CompletionStage<HttpAnswer> ended(Migration migration, long nanos) {
        return migration.whenEnded().completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS)
                .thenApply(over -> Answers.json(Answers.OK, migration.json()));
    }

    private static long nanos(String text) {
        try {
            return Math.min(LONGEST_WAIT_NANOS, Quantity.nanos(text));
        } catch (IllegalArgumentException e) {
            throw new CallException(Why.USAGE, "timeout: " + e.getMessage(), "write 60s");
        }
    }

    private HttpAnswer limit(HttpCall call, String id) {
        Migration migration = known(call, id);
        Map<String, String> changed = Body.read(call.body(), List.of("bandwidth", "maxDowntime",
                "throttle", "maxStolen", "onNoConvergence", "timeout")).texts();
        if (changed.isEmpty()) {
            throw new CallException(Why.USAGE, "no limit is named",
                    "GET /v1/openapi.json describes them");
        }
        daemon.migrations().limit(migration, changed);
        return Answers.json(Answers.OK, migration.json());
    }

    private HttpAnswer cancel(HttpCall call, String id) {
        Body.read(call.body(), List.of());
        Migration migration = known(call, id);
        daemon.cancel(migration);
        return Answers.json(Answers.ACCEPTED, migration.json());
    }

    private HttpAnswer settle(HttpCall call, String id) {
        Body body = Body.read(call.body(), List.of("owner", "targetIsFenced"));
        Optional<Owner> word = word(body.optional("owner", ""), body.flag("targetIsFenced"));
        Migration migration = known(call, id);
        if (word.isPresent() && isPeer(call)) {
            throw new CallException(Why.FORBIDDEN, "who owns a guest is no other host's to say",
                    "say it on this host, or ask again without an owner");
        }
        return new HttpAnswer.Later(() -> settled(migration, word));
    }

    private CompletionStage<HttpAnswer> settled(Migration migration, Optional<Owner> word) {
        try {
            return daemon.settle(migration, word)
                    .thenApply(settled -> Answers.json(Answers.OK, settled.json()))
                    .exceptionally(e -> {
                        if (e.getCause() instanceof CallException refused) {
                            return Answers.problem(refused);
                        }
                        throw new IllegalStateException("settling " + migration.id(), e);
                    });
        } catch (CallException e) {
            return CompletableFuture.completedStage(Answers.problem(e));
        }
    }

    /** Whether another host asks, by its certificate: it may have moved what is offered to it. */
    private static boolean isPeer(HttpCall call) {
        return !call.caller().name().isEmpty();
    }

    /** An operator's word, as that of {@code pageferry settle}. */
    private static Optional<Owner> word(String owner, boolean fenced) {
        boolean source = owner.equals(Owner.SOURCE.label());
        if (source != fenced) {
            throw new CallException(Why.USAGE, "owner source takes the guest back, which is right"
                    + " only when the target can never run it", "say \"owner\":\"source\","
                    + "\"targetIsFenced\":true, or nothing to ask the target");
        }
        if (source || owner.isEmpty()) {
            return source ? Optional.of(Owner.SOURCE) : Optional.empty();
        }
        if (!owner.equals(Owner.TARGET.label())) {
            throw new CallException(Why.USAGE, "'" + owner + "' is no owner",
                    "there are source and target");
        }
        return Optional.of(Owner.TARGET);
    }

    private HttpAnswer report(HttpCall call, String id) {
        JsonNode report = resource(call, id).path("report");
        if (report.isNull()) {
            throw new CallException(Why.CONFLICT, "migration " + id + " has not ended",
                    "GET " + PATH + "/" + id + "?wait=ended waits for it");
        }
        return Answers.json(Answers.OK, report);
    }

    private HttpAnswer log(HttpCall call, String id) {
        JsonNode lines = daemon.migrations().find(uuid(id), side(call))
                .<JsonNode>map(Migration::log).orElseGet(() -> daemon.find(uuid(id), side(call))
                        .orElseThrow(() -> unknown(id)).path("log"));
        return Answers.json(Answers.OK, Output.object().set("log", lines));
    }

    private HttpAnswer rounds(HttpCall call, String id) {
        JsonNode rounds = daemon.migrations().find(uuid(id), side(call))
                .<JsonNode>map(Migration::rounds).orElseGet(() -> resource(call, id)
                        .path("report").path("rounds"));
        return Answers.json(Answers.OK, Output.object().set("rounds", rounds.isArray() ? rounds
                : Output.object().arrayNode()));
    }

    private HttpAnswer map(HttpCall call, String id) {
        MemoryMap map = daemon.migrations().map(known(call, id))
                .orElseGet(() -> new MemoryMap(0, ""));
        return Answers.json(Answers.OK, Output.object().put("pagesPerCell", map.pagesPerCell())
                .put("cells", map.cells()));
    }

    private ObjectNode resource(HttpCall call, String id) {
        ObjectNode found = daemon.find(uuid(id), side(call)).orElseThrow(() -> unknown(id));
        found.remove("log");
        return found;
    }

    private Migration known(HttpCall call, String id) {
        return daemon.migrations().find(uuid(id), side(call)).orElseThrow(() ->
                daemon.find(uuid(id), side(call)).isEmpty() ? unknown(id)
                        : new CallException(Why.CONFLICT, "migration " + id + " has ended",
                                "GET " + PATH + "/" + id + " says how"));
    }

    private static CallException unknown(String id) {
        return new CallException(Why.NOT_FOUND, "no migration " + id + " is known here",
                "GET " + PATH + " lists them");
    }

    private static UUID uuid(String id) {
        try {
            return UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw unknown(id);
        }
    }

    private static Optional<Side> side(HttpCall call) {
        String side = call.query().getOrDefault("side", "");
        return side.isEmpty() ? Optional.empty() : Optional.of(Stream.of(Side.values())
                .filter(one -> one.label().equals(side)).findFirst()
                .orElseThrow(() -> new CallException(Why.USAGE, "'" + side + "' is no side",
                        "there are source and target")));
    }
}
