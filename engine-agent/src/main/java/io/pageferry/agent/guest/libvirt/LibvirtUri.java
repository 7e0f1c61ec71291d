package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * {@code libvirt:DOMAIN[?connect=URI]}, and the options that concern a domain.
 *
 * @param domain     name of it
 * @param connect    URI of the daemon
 * @param undefine   whether a source forgets it after the move
 * @param persistent whether a target keeps it defined
 * @param xml        description in place of the source's
 */
record LibvirtUri(String domain, String connect, boolean undefine, boolean persistent,
        Optional<Path> xml) {
    static final String SCHEME = "libvirt";

    /** For what does no work of its own. */
    static final Duration ANSWER = Duration.ofSeconds(15);

    /** Where the daemon of a host has its socket. */
    private static final Path FOLDER = Path.of("/run/libvirt");

    private static final String CONNECT = "connect";
    private static final String UNDEFINE = "undefine-source";
    private static final String PERSISTENT = "persistent";
    private static final String XML = "xml";
    private static final Set<String> KEYS = Set.of(CONNECT, UNDEFINE, PERSISTENT, XML);
    private static final String NAME = "domain";

    /** By its UNIX socket: other transports run programs (libvirt.org/uri.html). */
    private static final Pattern OF_THIS_HOST =
            Pattern.compile("qemu(\\+unix)?:///[a-z]+(\\?socket=[^&?]+)?");
    private static final Set<String> OF_CALLERS = Set.of("qemu:///system", "qemu:///session");

    static LibvirtUri parse(GuestUri uri) {
        Map<String, String> given = uri.parameters();
        Set<String> unknown = new TreeSet<>(given.keySet());
        unknown.removeAll(KEYS);
        if (uri.rest().isBlank() || !unknown.isEmpty()) {
            throw new IllegalArgumentException("write libvirt:DOMAIN or libvirt:DOMAIN?connect=URI,"
                    + " not " + uri.text());
        }
        String connect = given.getOrDefault(CONNECT, LibvirtConnection.SYSTEM);
        if (!OF_THIS_HOST.matcher(connect).matches()) {
            throw new IllegalArgumentException("connect=" + connect + " may be another host's"
                    + " libvirtd, and a guest is reached on its own host: name that of this host,"
                    + " qemu:///system, qemu:///session or qemu+unix:///system?socket=PATH");
        }
        return new LibvirtUri(uri.rest(), connect,
                given.containsKey(UNDEFINE), given.containsKey(PERSISTENT),
                Optional.ofNullable(given.get(XML)).map(Path::of));
    }

    /** Of which a caller of an agent may choose. */
    static Optional<String> operatorsOwn(GuestUri uri) {
        return uri.parameters().entrySet().stream()
                .filter(one -> !one.getKey().equals(CONNECT)
                        || !OF_CALLERS.contains(one.getValue()))
                .map(Map.Entry::getKey).sorted().findFirst();
    }

    static LibvirtUri of(Map<String, String> recoveryAddress) {
        return new LibvirtUri(recoveryAddress.get(NAME), recoveryAddress.get(CONNECT),
                recoveryAddress.containsKey(UNDEFINE), recoveryAddress.containsKey(PERSISTENT),
                Optional.empty());
    }

    void putInto(Map<String, String> recoveryAddress) {
        recoveryAddress.put(NAME, domain);
        recoveryAddress.put(CONNECT, connect);
        recoveryAddress.put(GuestKind.PLACE, place());
        if (undefine) {
            recoveryAddress.put(UNDEFINE, "");
        }
        if (persistent) {
            recoveryAddress.put(PERSISTENT, "");
        }
    }

    /** Names what a domain is on this host, whether it runs or is to come. */
    private String place() {
        return SCHEME + ":" + daemon() + ":" + connect.replaceFirst("\\+unix(?=:)", "") + ":"
                + domain;
    }

    /** Several may share a folder of locks, in containers for example. A restart leaves it. */
    private static String daemon() {
        try {
            Map<String, Object> is = Files.readAttributes(FOLDER, "unix:dev,ino");
            return is.get("dev") + ":" + is.get("ino");
        } catch (IOException e) {
            return ""; // it has its socket somewhere else
        }
    }

    LibvirtConnection open() throws GuestException {
        return within(ANSWER, () -> {
            try {
                return LibvirtConnection.open(connect);
            } catch (LibvirtException e) {
                throw new GuestException(ErrorCode.HOST_FAILED, "libvirt does not answer at "
                        + connect + ": " + e.getMessage(), "start libvirtd, or name the daemon:"
                        + " libvirt:" + domain + "?connect=URI");
            }
        });
    }

    /** What is asked of libvirt; it may hang for as long as its daemon, or a QEMU, does. */
    @FunctionalInterface
    interface Question<T> {
        T answer() throws GuestException;
    }

    /**
     * Asks on another thread, and waits no longer than that. What still hangs then goes on to hang
     * there.
     */
    static <T> T within(Duration limit, Question<T> question) throws GuestException {
        FutureTask<T> task = new FutureTask<>(question::answer);
        Thread.ofPlatform().daemon().name("libvirt call").start(task);
        long deadline = System.nanoTime() + limit.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case GuestException refused -> throw refused;
                case RuntimeException bug -> throw bug;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (TimeoutException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "libvirt gives no answer in "
                    + limit.toSeconds() + " s", "look whether libvirtd hangs: virsh list");
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether the domain runs or is paused on that host. */
    boolean isActive(LibvirtConnection connection) throws LibvirtException {
        try (LibvirtDomain found = connection.domain(domain)) {
            return found.isActive();
        } catch (LibvirtException e) {
            if (e.isNoDomain()) {
                return false;
            }
            throw e;
        }
    }

    Optional<String> ownXml() throws GuestException {
        if (xml.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(xml.get()));
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "--xml " + xml.get()
                    + " cannot be read: " + e.getMessage(), "name a file of virsh dumpxml");
        }
    }
}
