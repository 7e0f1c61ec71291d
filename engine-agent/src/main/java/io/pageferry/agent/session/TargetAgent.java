package io.pageferry.agent.session;

import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.Refusals;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.TargetListener;
import io.pageferry.agent.session.warmup.JvmFlags;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Takes guests in as {@code receive} does: into one slot, one after another, until one is there or
 * no more are wanted; answers STATUS meanwhile and for a while afterwards.
 */
public final class TargetAgent implements FiniteAgent {
    private final String name;
    private final ReceiveSettings settings;
    private final MigrationListener listener;
    private final Consumer<SocketAddress> listening;
    private final Consumer<AgentResult> finished;
    /** Of connections, which anybody can have refused. */
    private final Refusals refusals = new Refusals();
    private Listener.Open acceptor;
    private TargetListener connections;
    private TargetSlot slot;
    private SlotRule rule;
    private AgentResult result;
    private volatile boolean cancelled;

    /**
     * Makes an agent whose slot has no name, and so takes in whatever slot a source names.
     *
     * @param settings  what to do
     * @param listener  receives events
     * @param listening called once with the address
     * @param finished  gets the result of each migration that got past negotiation, but for the
     *                  last with {@code --once}, which {@link #run} returns
     */
    public TargetAgent(ReceiveSettings settings, MigrationListener listener,
            Consumer<SocketAddress> listening, Consumer<AgentResult> finished) {
        this("", settings, listener, listening, finished);
    }

    /**
     * Makes an agent.
     *
     * @param name      of its slot, or empty
     * @param settings  as above
     * @param listener  as above
     * @param listening as above
     * @param finished  as above
     */
    public TargetAgent(String name, ReceiveSettings settings, MigrationListener listener,
            Consumer<SocketAddress> listening, Consumer<AgentResult> finished) {
        this.name = name;
        this.settings = settings;
        this.listener = listener;
        this.listening = listening;
        this.finished = finished;
    }

    /**
     * Serves on the calling thread: with {@code --once} until one migration that got past
     * negotiation ended, else until it is cancelled.
     *
     * @return how it ended
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public AgentResult run() {
        AgentLoop.run(this);
        return result;
    }

    /** Requests a cancel; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    /** {@return how it ended, once it is done} */
    public AgentResult result() {
        return result;
    }

    @Override
    public String roleName() {
        return "target " + settings.guest().text();
    }

    @Override
    public void onStart() {
        try {
            open();
        } catch (IOException e) {
            result = AgentResult.notOpened(e);
        }
    }

    private void open() throws IOException {
        StateDirectory directory = StateDirectory.open(settings.stateDirectory());
        JvmFlags.checkLz4(listener);
        SlotInbox inbox = new SlotInbox(name);
        slot = new TargetSlot(inbox, settings, directory, listener, () -> cancelled);
        slot.open();
        acceptor = settings.listen().open(refusals::add);
        connections = new TargetListener(acceptor, directory,
                line -> listener.on(MigrationEvent.warn(line)), () -> List.of(inbox));
        rule = new SlotRule(slot, SlotRule.Manner.of(settings), finished);
        acceptor.address().ifPresent(listening);
    }

    @Override
    public int doWork() {
        try {
            // Here and not on an IO thread, which a listener that waits would hold up.
            refusals.poll(SystemNanoClock.INSTANCE.nanoTime()).ifPresent(this::log);
            acceptor.notice().ifPresent(line -> listener.on(MigrationEvent.warn(line)));
            if (cancelled) {
                rule.end();
            }
            int work = connections.doWork() + rule.doWork();
            result = rule.result();
            return work;
        } catch (IOException e) {
            result = AgentResult.refused(Side.TARGET, e);
            return 1;
        }
    }

    @Override
    public boolean isDone() {
        return result != null;
    }

    private void log(String line) {
        listener.on(MigrationEvent.info(line));
    }

    @Override
    public void onClose() {
        refusals.take(SystemNanoClock.INSTANCE.nanoTime()).ifPresent(this::log);
        CloseHelper.closeAll(rule == null ? null : rule::close, acceptor,
                connections == null ? null : connections::onClose,
                slot == null ? null : () -> slot.close(result == null));
    }
}
