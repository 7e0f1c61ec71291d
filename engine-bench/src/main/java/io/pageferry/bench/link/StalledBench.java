package io.pageferry.bench.link;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.ProcessMemory;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.LoopbackCertificate;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/** The memory of TLS handshakes that a stranger begins and leaves, at a target that waits. */
public final class StalledBench extends Bench {
    /** Sources' ends are on as many addresses: of one there may be 96. */
    private static final int ADDRESSES = 4;
    private static final int FIRST = 8;
    private static final double BAR_MIB = 8;

    /** Made by the service loader. */
    public StalledBench() {
    }

    @Override
    public String name() {
        return "stalled";
    }

    @Override
    public String about() {
        return "[--connections 256]: what a target keeps for connections that sent a ClientHello"
                + " and then nothing; give it a heap that is resident from the start, by"
                + " PAGEFERRY_OPTS='-Xms128m -Xmx128m -XX:+AlwaysPreTouch'";
    }

    /** What a process holds. */
    private record Held(double nativeMib, double heapMib) {
        static Held now() throws IOException {
            System.gc();
            double heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            return new Held((double) ProcessMemory.anonymousBytes("self") / (1 << 20),
                    heap / (1 << 20));
        }
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        int count = options.count("connections", 256, 1);
        Rows rows = new Rows(name(), 0);
        try (LoopbackCertificate certificate = new LoopbackCertificate();
                TransportServer server = new TransportServer(TransportOptions
                        .defaults(SystemNanoClock.INSTANCE).withSecurity(new Security(
                                Optional.of(certificate.options()), Admission.open())),
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        line -> { })) {
            byte[] hello = ClientHello.bytes();
            CloseHelper.closeAll(stall(server, hello, FIRST));
            Held before = Held.now();
            List<Socket> all = stall(server, hello, count);
            Held with = Held.now();
            CloseHelper.closeAll(all);
            double outside = with.nativeMib - before.nativeMib;
            double heap = with.heapMib - before.heapMib;
            rows.add(count + " handshakes, outside the heap", new Sample(outside), "MiB", true);
            rows.add(count + " handshakes, in the heap, with the peers'", new Sample(heap), "MiB",
                    true);
            rows.add(count + " handshakes, together", new Sample(outside + heap), "MiB",
                    outside + heap <= BAR_MIB);
        }
        return rows.result();
    }

    /** Opens connections that say hello, and returns once each was answered. */
    private static List<Socket> stall(TransportServer server, byte[] hello, int count)
            throws IOException {
        List<Socket> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Socket one = new Socket(server.address().getAddress(), server.address().getPort(),
                    InetAddress.ofLiteral("127.0.0." + (2 + i % ADDRESSES)), 0);
            one.getOutputStream().write(hello);
            all.add(one);
        }
        for (Socket one : all) {
            if (one.getInputStream().read() < 0) {
                throw new IOException("the target closed a handshake");
            }
        }
        return all;
    }
}
