package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.agent.daemon.DaemonSettings;
import io.pageferry.agent.daemon.MoveWords;
import io.pageferry.agent.daemon.api.Api;
import io.pageferry.agent.daemon.metrics.MetricsPage;
import io.pageferry.agent.daemon.web.Dashboard;
import io.pageferry.agent.daemon.web.PeerGate;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.process.ServiceManager;
import io.pageferry.agent.link.api.ApiListener;
import io.pageferry.agent.link.api.PortApi;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.session.warmup.BackgroundWarmUp;
import io.pageferry.agent.session.warmup.WarmUp;
import io.pageferry.agent.state.journal.GuestLock;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** An agent as a service: ready, watched, stopped. */
final class AgentService {
    private static final GuestUri SCRATCH = GuestUri.parse("workload:4MiB?rate=20MiB/s");
    private static final long TICK_MILLIS = 500;

    /** How long a service manager waits on, and how often it is told so. */
    private static final long EXTEND_SECONDS = 60;
    private static final long EXTEND_EVERY_NANOS = 2_000_000_000L;

    /** A duty cycle stands still for as long as a guest takes to pause: half a minute. */
    private static final Duration STANDS_STILL = Duration.ofSeconds(60);

    private final Output output;
    private final DaemonSettings settings;
    private final MoveWords words;
    private final Places places;
    private final ServiceManager manager = ServiceManager.of(System.getenv());
    private final CountDownLatch stop = new CountDownLatch(1);
    private final long feedNanos = manager.watchdog().map(time -> time.toNanos() / 3)
            .orElse(Long.MAX_VALUE);
    private long turned = System.nanoTime();
    private long fed = turned;
    private long extended = turned - EXTEND_EVERY_NANOS;

    /**
     * Where it is asked.
     *
     * @param api     the socket
     * @param metrics where they are shown too
     * @param port    the API on the port where guests come in
     */
    record Places(UnixDomainSocketAddress api, Optional<InetSocketAddress> metrics,
            Optional<PortApi> port) { }

    AgentService(Output output, DaemonSettings settings, MoveWords words, Places places) {
        this.output = output;
        this.settings = settings;
        this.words = words;
        this.places = places;
    }

    /** Serves until it is stopped; then with {@code wait} until all moves have ended. */
    int run(boolean wait) throws IOException {
        CommandExit.onStop(stop::countDown, wait ? Duration.ofHours(1) : CommandExit.STOP);
        GuestLock.makeOwn();
        BackgroundWarmUp warmUp = BackgroundWarmUp.start(() -> WarmUp.run(SCRATCH));
        // What is opened first is closed last: the port's threads behind its listener.
        try (PortApi _ = places.port().orElse(null); warmUp;
                Daemon daemon = Daemon.open(settings, words);
                Dashboard dashboard = new Dashboard(this::bug);
                ApiListener page = metricsOf(daemon);
                ApiListener _ = ApiListener.open(places.api(), ApiListener.GROUP,
                        over(daemon, dashboard), this::bug)) {
            warmUp.await();
            ready(daemon, page);
            serve(daemon);
            tell("STOPPING=1\nSTATUS=moves are ending");
            daemon.stop(wait, () -> {
                feed(daemon);
                if (wait) {
                    askForTime();
                }
                return true;
            });
        }
        return 0;
    }

    /** Null where they are not asked for. */
    private ApiListener metricsOf(Daemon daemon) throws IOException {
        return places.metrics().isEmpty() ? null : ApiListener.onLoopback(places.metrics().get(),
                new MetricsPage(daemon.metrics()), this::bug);
    }

    private Api over(Daemon daemon, Dashboard dashboard) {
        Api all = new Api(daemon, () -> daemon.hasGuardService() ? "service" : "own", dashboard);
        dashboard.over(all);
        places.port().ifPresent(port -> port.over(new PeerGate(all)));
        return all;
    }

    private void ready(Daemon daemon, ApiListener page) {
        String at = Addresses.text(daemon.address());
        ObjectNode ready = Output.event("ready").put("listen", at).put("api",
                "unix:" + places.api());
        if (page != null) {
            ready.put("metrics", Addresses.text(new InetSocketAddress(
                    places.metrics().orElseThrow().getAddress(), page.port())));
        }
        output.emit(ready);
        if (!output.isJson()) {
            output.human("ready: guests come in at " + at + ", the API is at unix:"
                    + places.api());
        }
        tell("READY=1\nSTATUS=serves");
    }

    private void serve(Daemon daemon) {
        while (!isStopped()) {
            daemon.tick();
            feed(daemon);
        }
    }

    /** Feeds the watchdog, as long as every move's duty cycle turns. */
    private void feed(Daemon daemon) {
        long now = System.nanoTime();
        if (daemon.isTurning()) {
            turned = now;
        }
        if (now - fed >= feedNanos && now - turned < STANDS_STILL.toNanos()) {
            tell("WATCHDOG=1");
            fed = now;
        }
    }

    /** A unit's TimeoutStopSec= is no time for moves: it counts from the last of these on. */
    private void askForTime() {
        long now = System.nanoTime();
        if (now - extended >= EXTEND_EVERY_NANOS) {
            tell("EXTEND_TIMEOUT_USEC=" + TimeUnit.SECONDS.toMicros(EXTEND_SECONDS));
            extended = now;
        }
    }

    private boolean isStopped() {
        try {
            return stop.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    private void tell(String state) {
        manager.tell(state, output::note);
    }

    private void bug(Throwable thrown) {
        output.note("warning  a call of the API broke: " + thrown);
    }
}
