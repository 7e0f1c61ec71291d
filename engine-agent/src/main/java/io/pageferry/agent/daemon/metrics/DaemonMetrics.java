package io.pageferry.agent.daemon.metrics;

import io.pageferry.agent.report.Report;
import io.pageferry.core.migration.Outcome.Side;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Counts what a daemon moves. A scrape reads counters and what moves keep for any thread: no move
 * waits for it. Safe for any thread.
 */
public final class DaemonMetrics {
    /** The type of {@link #text}. */
    public static final String TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private static final double NANO = 1e-9;

    /** Moves take a tenth of a second to an hour. */
    private static final double[] TOTAL = {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600};

    /** Downtimes a few milliseconds to ten seconds. */
    private static final double[] DOWN = {0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 3, 10};

    /** How long it took against how long it was thought to take. */
    private static final double[] RATIO = {0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4};

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Counter migrations = Counter.builder().name("pageferry_migrations_total")
            .help("Migrations that ended").labelNames("result").register(registry);
    private final Counter wire = Counter.builder().name("pageferry_migration_wire_bytes_total")
            .help("Bytes on the wire of migrations that ended, with headers").labelNames("side")
            .register(registry);
    private final Histogram total = histogram("pageferry_migration_seconds",
            "First byte of negotiation to the guest running at the target", TOTAL);
    private final Histogram down = histogram("pageferry_migration_downtime_seconds",
            "Request to pause to the guest running at the target", DOWN);
    private final Histogram ratio = histogram("pageferry_migration_prediction_ratio",
            "Downtime as it was, to the 95th percentile that was predicted", RATIO);

    /**
     * What a migration that is under way shows.
     *
     * @param id    names it
     * @param side  whose
     * @param state as of now
     * @param left  pages of the round that are to be handled
     * @param wire  bytes a second of the last round
     * @param dirty bytes a second that the guest wrote in it
     * @param took  percent of the guest's time that a throttle takes
     */
    public record Live(String id, String side, String state, double left, double wire,
            double dirty, double took) { }

    /** Makes counters at 0. */
    public DaemonMetrics() {
        for (String result : List.of("completed", "failed", "refused", "cancelled", "in-doubt",
                "guest-ended")) {
            migrations.initLabelValues(result);
        }
        for (Side side : Side.values()) {
            wire.initLabelValues(side.label());
            List.of(total, down, ratio).forEach(one -> one.initLabelValues(side.label()));
        }
    }

    private Histogram histogram(String name, String help, double... bounds) {
        return Histogram.builder().name(name).help(help).labelNames("side")
                .classicOnly().classicUpperBounds(bounds).register(registry);
    }

    /**
     * Adds what is asked for at each scrape.
     *
     * @param name   of the gauge
     * @param help   what it shows
     * @param figure never waits
     */
    public void gauge(String name, String help, DoubleSupplier figure) {
        GaugeWithCallback.builder().name(name).help(help)
                .callback(callback -> callback.call(figure.getAsDouble())).register(registry);
    }

    /**
     * Adds when the agent's certificate expires; where that cannot be read, the gauge is absent.
     *
     * @param expiry may read files
     */
    public void certificate(Supplier<Optional<Instant>> expiry) {
        GaugeWithCallback.builder().name("pageferry_certificate_expiry_timestamp_seconds")
                .help("When the agent's certificate, or one between it and its CA, expires, since"
                        + " 1970").callback(callback -> expiry.get()
                                .ifPresent(time -> callback.call(time.getEpochSecond())))
                .register(registry);
    }

    /**
     * Adds the gauges of what is under way; one that ended is in them no more.
     *
     * @param live never waits
     */
    public void live(Supplier<Collection<Live>> live) {
        each(live, "pageferry_migration_left_pages", "Pages of the round still to be handled",
                Live::left);
        each(live, "pageferry_migration_wire_bytes_per_second", "Of the last round", Live::wire);
        each(live, "pageferry_migration_dirty_bytes_per_second",
                "Written by the guest in the last round", Live::dirty);
        each(live, "pageferry_migration_throttle_percent",
                "Of the guest's time that a throttle takes", Live::took);
        GaugeWithCallback.builder().name("pageferry_migration_state").help("1 for the state")
                .labelNames("id", "side", "state").callback(callback -> live.get().forEach(
                        one -> callback.call(1, one.id(), one.side(), one.state())))
                .register(registry);
    }

    private void each(Supplier<Collection<Live>> live, String name, String help,
            ToDoubleFunction<Live> figure) {
        GaugeWithCallback.builder().name(name).help(help).labelNames("id", "side")
                .callback(callback -> live.get().forEach(one -> callback.call(
                        figure.applyAsDouble(one), one.id(), one.side()))).register(registry);
    }

    /**
     * Counts a migration that ended.
     *
     * @param report of it
     * @param result as the report words it
     */
    public void ended(Report report, String result) {
        String side = report.side().label();
        migrations.labelValues(result).inc();
        report.body().ifPresent(body -> {
            wire.labelValues(side).inc(body.traffic().wireBytes());
            Report.Times times = body.times();
            if (times.totalNanos() > 0) {
                total.labelValues(side).observe(times.totalNanos() * NANO);
                down.labelValues(side).observe(times.downtimeNanos() * NANO);
                times.predicted().filter(predicted -> predicted.p95Nanos() > 0).ifPresent(
                        predicted -> ratio.labelValues(side).observe(
                                (double) times.downtimeNanos() / predicted.p95Nanos()));
            }
        });
    }

    /**
     * Writes all of them.
     *
     * @return the text format of Prometheus, UTF-8
     */
    public byte[] text() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.create().write(out, registry.scrape());
        } catch (IOException e) {
            throw new IllegalStateException("memory can always be written to", e);
        }
        return out.toByteArray();
    }
}
