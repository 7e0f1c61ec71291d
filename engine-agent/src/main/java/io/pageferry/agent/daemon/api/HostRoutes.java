package io.pageferry.agent.daemon.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.agent.daemon.Slots;
import io.pageferry.agent.daemon.metrics.DaemonMetrics;
import io.pageferry.agent.daemon.store.AddressBook;
import io.pageferry.agent.report.Output;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.netty.link.TransportClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What concerns the host: its slots, its guests, the agent itself. */
final class HostRoutes {
    private static final String SLOTS = "/v1/slots";

    private final Daemon daemon;
    private final Supplier<String> guard;
    private final PageOpener page;

    HostRoutes(Daemon daemon, Supplier<String> guard, PageOpener page) {
        this.daemon = daemon;
        this.guard = guard;
        this.page = page;
    }

    List<Route> all() {
        return List.of(
                new Route("GET", SLOTS, (call, none) -> slots()),
                new Route("GET", SLOTS + "/{name}", (call, name) -> slot(Answers.OK, name)),
                new Route("PUT", SLOTS + "/{name}", this::put),
                new Route("DELETE", SLOTS + "/{name}", (call, name) -> delete(name)),
                new Route("GET", "/v1/guests", (call, none) -> guests()),
                new Route("GET", "/v1/events", (call, none) ->
                        EventReader.answer(daemon.events(), call)),
                new Route("GET", "/v1/health", (call, none) -> health()),
                new Route("POST", "/v1/dashboard", (call, none) -> open(call)),
                new Route("GET", "/v1/openapi.json", (call, none) -> description()),
                new Route("GET", "/metrics", (call, none) -> new HttpAnswer.Whole(Answers.OK,
                        DaemonMetrics.TYPE, Map.of(), daemon.metrics().text())));
    }

    private HttpAnswer slots() {
        ObjectNode body = Output.object();
        ArrayNode slots = body.putArray("slots");
        daemon.slots().all().forEach(slot -> slots.add(json(slot)));
        return Answers.json(Answers.OK, body);
    }

    private HttpAnswer slot(int status, String name) {
        return Answers.json(status, json(daemon.slots().find(name).orElseThrow(() ->
                new CallException(Why.NOT_FOUND, "there is no slot " + name,
                        "GET " + SLOTS + " lists them"))));
    }

    private static ObjectNode json(Slots.View slot) {
        return Output.object().put("name", slot.name()).put("guest", slot.guest())
                .put("state", slot.state())
                .put("migration", slot.migration().map(Object::toString).orElse(null));
    }

    private HttpAnswer put(HttpCall call, String name) {
        String guest = Body.read(call.body(), List.of("guest")).required("guest");
        return slot(daemon.slots().put(name, guest) ? Answers.CREATED : Answers.OK, name);
    }

    private HttpAnswer delete(String name) {
        daemon.slots().delete(name);
        return Answers.empty();
    }

    private HttpAnswer guests() {
        ObjectNode body = Output.object();
        ArrayNode guests = body.putArray("guests");
        try {
            for (AddressBook.Entry entry : daemon.guests().book().all()) {
                ObjectNode labels = guests.addObject().put("name", entry.name())
                        .put("uri", entry.uri()).putObject("labels");
                entry.labels().forEach(labels::put);
            }
        } catch (IOException e) {
            throw new CallException(Why.HOST_FAILED, e.getMessage(), "look at that file");
        }
        return Answers.json(Answers.OK, body);
    }

    private HttpAnswer health() {
        boolean serves = !daemon.migrations().isStopping();
        return Answers.json(Answers.OK, Output.object().put("status", serves ? "ok" : "stopping")
                .put("guard", guard.get()).put("ready", serves)
                .put("listen", TransportClient.text(daemon.address())));
    }

    private HttpAnswer open(HttpCall call) {
        Body.read(call.body(), List.of());
        try {
            return Answers.json(Answers.CREATED, Output.object().put("url", page.open()));
        } catch (IOException e) {
            throw new CallException(Why.HOST_FAILED, e.getMessage(),
                    "ask again, or use the command line");
        }
    }

    private static HttpAnswer description() {
        try (InputStream file = HostRoutes.class.getResourceAsStream("openapi.json")) {
            return new HttpAnswer.Whole(Answers.OK, "application/json", Map.of(),
                    file.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
