package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.embed.IncomingMigration;
import io.pageferry.agent.embed.MigrationReport;
import io.pageferry.agent.embed.OutgoingMigration;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.host.linux.kvm.Kvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A whole program that embeds the engine: it boots a machine, or receives one, runs it, and moves
 * it on when it is told to. It is what docs/EMBEDDING.md walks through, and what the test of a
 * chain of processes starts.
 */
public final class HopVmm {
    private static final long SIZE = 64L << 20;

    private final Path journals;

    private HopVmm(Path journals) {
        this.journals = journals;
    }

    /**
     * Runs one.
     *
     * @param arguments folder for the journals, then bytes that the guest works on, or nothing to
     *                  receive one
     * @throws IOException when something failed: it ends with a stack trace
     */
    public static void main(String[] arguments) throws IOException {
        HopVmm vmm = new HopVmm(Path.of(arguments[0]));
        Machine machine = arguments.length > 1 ? boot(Long.parseLong(arguments[1]))
                : vmm.receive();
        try (KvmGuest guest = new KvmGuest(machine)) {
            BufferedReader orders = new BufferedReader(
                    new InputStreamReader(System.in, StandardCharsets.UTF_8));
            boolean here = true;
            while (here) {
                String order = orders.readLine();
                here = order != null && vmm.obey(order, guest, machine);
            }
        }
    }

    /** Does as it is told; returns whether the guest is still here. */
    private boolean obey(String order, KvmGuest guest, Machine machine) throws IOException {
        if (order.equals("check")) {
            say("wrong " + machine.check());
            machine.resume();
            return true;
        }
        boolean gone = moved(guest, Integer.parseInt(order));
        say(gone ? "left " + machine.standingCount() : "stays " + machine.count());
        return !gone;
    }

    private static Machine boot(long set) throws IOException {
        Machine machine = new Machine(Kvm.DEVICE, SIZE);
        machine.boot(set);
        machine.resume();
        say("arrived 0 lost 0");
        return machine;
    }

    /** Takes in the next guest that somebody moves here. */
    private Machine receive() throws IOException {
        try (KvmIncoming incoming = new KvmIncoming(() -> new Machine(Kvm.DEVICE, SIZE),
                new HostRoom().claim())) {
            MigrationReport report = IncomingMigration.into(incoming, local(0))
                    .stateDirectory(journals)
                    .listening(address -> say("listening "
                            + ((InetSocketAddress) address).getPort()))
                    .build().run();
            if (!report.isCompleted()) {
                throw new IOException("nothing came: " + report.outcome().reason());
            }
            say("arrived " + incoming.arrivedAt() + " lost " + incoming.lostTicks());
            return incoming.handOver();
        }
    }

    /** Moves the guest away; returns whether it is gone. Otherwise it is here, and runs. */
    private boolean moved(KvmGuest guest, int port) throws IOException {
        OutgoingMigration migration = OutgoingMigration.of(guest, local(port))
                .stateDirectory(journals)
                .build();
        MigrationReport report = migration.run();
        say("result " + report.outcome().result() + " downtime " + report.downtime().toMillis());
        return switch (report.outcome().result()) {
            case COMPLETED -> true;
            case REFUSED, FAILED, CANCELLED -> false;
            case IN_DOUBT -> throw new IOException("paused until migration " + migration.id()
                    + " is settled: " + report.outcome().remedy());
            default -> throw new IOException(report.outcome().reason());
        };
    }

    private static InetSocketAddress local(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
