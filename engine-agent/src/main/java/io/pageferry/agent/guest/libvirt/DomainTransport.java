package io.pageferry.agent.guest.libvirt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import io.pageferry.agent.guest.qemu.qmp.QmpTransport;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;

/**
 * A domain's monitor by way of libvirt, which holds it: one thread hands command after command on,
 * and events come from libvirt's. Where the daemon is restarted it is connected to again.
 */
final class DomainTransport implements QmpTransport {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Not sent a second time where it is unknown what became of it: QEMU 7.2 would abort. */
    private static final Set<String> ONCE = Set.of("xen-save-devices-state");
    /** A daemon that is restarted looks at all its domains first. */
    private static final long RETURN_NANOS = 30_000_000_000L;
    private static final long RETRY_NANOS = 100_000_000L;
    private static final long END_MILLIS = 5_000;

    private final LibvirtUri uri;
    private final Handler handler;
    private final BlockingQueue<Sent> queue = new LinkedBlockingQueue<>();
    private final Thread worker;
    private Link link;
    private volatile QmpException end;

    /** A command, or the end of all where it is null. */
    private record Sent(ObjectNode command, long deadline) { }

    /**
     * A connection to a daemon, and a domain of it.
     *
     * @param connection to it
     * @param domain     of it
     */
    record Link(LibvirtConnection connection, LibvirtDomain domain) implements AutoCloseable {
        private static Link open(LibvirtUri uri) throws LibvirtException {
            LibvirtConnection connection = LibvirtConnection.open(uri.connect());
            try {
                return new Link(connection, connection.domain(uri.domain()));
            } catch (LibvirtException e) {
                connection.close();
                throw e;
            }
        }

        @Override
        public void close() {
            CloseHelper.closeAll(domain, connection);
        }
    }

    private DomainTransport(LibvirtUri uri, Optional<Link> link, Handler handler) {
        this.uri = uri;
        this.link = link.orElse(null);
        this.handler = handler;
        this.worker = Thread.ofPlatform().daemon().name("libvirt " + uri.domain())
                .unstarted(this::work);
    }

    /**
     * Connects to a domain that runs or is paused; where that fails this ends before a greeting.
     *
     * @param uri     the domain
     * @param link    where there is one already; this closes it
     * @param handler receives what comes
     * @return the transport
     */
    static DomainTransport open(LibvirtUri uri, Optional<Link> link, Handler handler) {
        DomainTransport transport = new DomainTransport(uri, link, handler);
        transport.worker.start();
        return transport;
    }

    private void greet() throws QmpException {
        try {
            if (link == null) {
                connect();
            } else {
                link.domain().listen(this::event);
            }
            ObjectNode greeting = JsonNodeFactory.instance.objectNode();
            greeting.putObject("QMP").set("version",
                    ask("{\"execute\":\"query-version\"}").path("return"));
            handler.message(greeting);
        } catch (LibvirtException e) {
            throw QmpException.of(Kind.CLOSED, "libvirt says: " + e.getMessage());
        }
    }

    private void disconnect() {
        CloseHelper.close(link);
        link = null;
    }

    private void connect() throws LibvirtException {
        disconnect();
        link = Link.open(uri);
        link.domain().listen(this::event);
    }

    /** On libvirt's thread: handing it on takes microseconds. */
    private void event(String name, String details) {
        try {
            ObjectNode event = JsonNodeFactory.instance.objectNode().put("event", name);
            if (!details.isEmpty()) {
                event.set("data", JSON.readTree(details));
            }
            handler.message(event);
        } catch (QmpException e) {
            close(e);
        } catch (JsonProcessingException e) {
            close(closed("libvirt passed on what is no event of QEMU"));
        }
    }

    @Override
    public void send(String lines, long deadline) throws QmpException {
        check();
        for (String line : lines.split("\n")) {
            try {
                queue.add(new Sent((ObjectNode) JSON.readTree(line), deadline));
            } catch (JsonProcessingException e) {
                throw QmpException.of(Kind.PROTOCOL, "no command: " + line);
            }
        }
    }

    private void work() {
        try {
            greet();
            for (Sent sent = queue.take(); sent.command() != null; sent = queue.take()) {
                obey(sent);
            }
        } catch (QmpException e) {
            close(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            disconnect();
        }
    }

    /** One that nobody waits for any more is not sent: libvirt may have been busy for long. */
    private void obey(Sent sent) throws QmpException {
        ObjectNode command = sent.command();
        JsonNode id = command.remove("id");
        ObjectNode answer;
        if (command.path("execute").asText().equals("qmp_capabilities")) {
            answer = JsonNodeFactory.instance.objectNode();
            answer.putObject("return");
        } else {
            answer = answer(command, sent.deadline());
        }
        answer.set("id", id);
        handler.message(answer);
    }

    private ObjectNode answer(ObjectNode command, long deadline) throws QmpException {
        while (true) {
            try {
                return System.nanoTime() - deadline > 0 ? error("libvirt was busy for too long")
                        : ask(command.toString());
            } catch (LibvirtException e) {
                if (e.isNotRunning()) {
                    throw closed("the domain does not run any more");
                }
                if (!e.isConnectionLost() && link.connection().isAlive()) {
                    return error(e.getMessage());
                }
                connectAgain();
                if (ONCE.contains(command.path("execute").asText())) {
                    return error("libvirt was gone meanwhile: whether QEMU obeyed is unknown");
                }
            }
        }
    }

    /** What happened meanwhile is not told: whether the guest runs now is. */
    private void connectAgain() throws QmpException {
        long deadline = System.nanoTime() + RETURN_NANOS;
        while (true) {
            check();
            try {
                connect();
                boolean running = ask("{\"execute\":\"query-status\"}").path("return")
                        .path("running").asBoolean();
                event(running ? "RESUME" : "STOP", "");
                return;
            } catch (LibvirtException e) {
                if (e.isNotRunning()) {
                    throw closed("the domain does not run any more");
                }
                if (System.nanoTime() - deadline > 0) {
                    throw closed("libvirt does not come back: " + e.getMessage());
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private ObjectNode ask(String command) throws LibvirtException, QmpException {
        String answer = link.domain().monitor(command);
        try {
            return (ObjectNode) JSON.readTree(answer);
        } catch (JsonProcessingException | ClassCastException e) {
            throw QmpException.of(Kind.PROTOCOL, "libvirt passed on what is no answer of QEMU");
        }
    }

    private static ObjectNode error(String why) {
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.putObject("error").put("class", "GenericError").put("desc", why);
        return answer;
    }

    @Override
    public void check() throws QmpException {
        QmpException reason = end;
        if (reason != null) {
            throw QmpException.of(reason.kind(), reason.getMessage());
        }
    }

    @Override
    public boolean isOpen() {
        return end == null;
    }

    @Override
    public String name() {
        return "of the domain " + uri.domain();
    }

    @Override
    public void close(QmpException reason) {
        synchronized (queue) {
            if (end != null) {
                return;
            }
            end = reason;
        }
        queue.add(new Sent(null, 0));
        handler.ended(reason);
        try {
            // What was told without awaiting an answer is still to be obeyed.
            if (Thread.currentThread() != worker && worker.isAlive()) {
                worker.join(END_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
