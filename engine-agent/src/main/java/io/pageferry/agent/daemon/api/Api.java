package io.pageferry.agent.daemon.api;

import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Answers what is asked of a daemon. For any thread. */
public final class Api implements HttpHandler {
    private final List<Route> routes;

    /**
     * Makes the API of a daemon.
     *
     * @param daemon ready; stays the caller's
     * @param guard  tells who guards: the agent's own guards, or a service
     * @param page   gives an address that lets a browser in, once
     */
    public Api(Daemon daemon, Supplier<String> guard, PageOpener page) {
        this.routes = Stream.concat(new MigrationRoutes(daemon).all().stream(),
                new HostRoutes(daemon, guard, page).all().stream()).toList();
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        try {
            for (Route route : routes) {
                Optional<String> name = route.match(call.path());
                if (name.isPresent() && route.method().equals(call.method())) {
                    return route.action().answer(call, name.get());
                }
            }
        } catch (CallException e) {
            return Answers.problem(e);
        }
        String allowed = routes.stream().filter(route -> route.match(call.path()).isPresent())
                .map(Route::method).distinct().sorted().collect(Collectors.joining(", "));
        return allowed.isEmpty() ? Answers.problem(new CallException(Why.NOT_FOUND,
                "there is no " + call.path(), "GET /v1/openapi.json describes what there is"))
                : Answers.noMethod(call.method(), call.path(), allowed);
    }

    /** {@return all that is answered, for its description} */
    List<Route> routes() {
        return routes;
    }
}
