package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.disk.DiskKind;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.machine.address.MovedAddresses;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * {@code machine:}, at the source all of this host, {@code machine:DIR}, at the target a folder
 * with its disks and what starts it.
 */
public final class MachineKind implements GuestKind {
    static final String SCHEME = "machine";

    /** In memory: what is written while a root is frozen cannot lie on it. */
    private static final Path STATE = Path.of("/run/pageferry-machine");

    private final DiskKind disks = new DiskKind();

    /** Made by the service loader. */
    public MachineKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    /** One machine must not run twice: it goes off here once it is there. */
    @Override
    public List<After> afterwards() {
        return List.of(After.POWEROFF, After.KEEP, After.THAW);
    }

    @Override
    public Optional<Path> stateDirectory() {
        return Optional.of(STATE);
    }

    @Override
    public boolean standsStill(GuestUri uri) {
        try {
            return disks.standsStill(MachineUri.of(uri, disks(uri)));
        } catch (GuestException e) {
            return false; // which opening it says
        }
    }

    private static List<Path> disks(GuestUri uri) throws GuestException {
        List<Path> named = MachineUri.disks(uri);
        return named.isEmpty() ? HostDisks.ofHost().disks() : named;
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        List<Path> nodes = disks(uri);
        SourceGuest opened = disks.openSource(MachineUri.of(uri, nodes), setup);
        boolean whole = false;
        try {
            MachineGuest guest = new MachineGuest(opened, hardware(nodes,
                    opened.describe().regions().regions().stream().map(Region::size).toList()),
                    addresses(uri, setup));
            whole = true;
            return guest;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "what hardware this machine has cannot"
                    + " be told: " + e.getMessage(), "move its disks alone: disk:"
                    + String.join(",", nodes.stream().map(Path::toString).toList()));
        } finally {
            if (!whole) {
                opened.close();
            }
        }
    }

    /** Disks that were named are not this machine, and one that is copied keeps what it has. */
    private static Optional<MovedAddresses> addresses(GuestUri uri, GuestSetup setup) {
        return !MachineUri.disks(uri).isEmpty() || setup.after() == After.THAW ? Optional.empty()
                : Optional.of(MovedAddresses.ofHost(STATE.resolve("addresses-"
                        + UUID.randomUUID())));
    }

    private static Hardware hardware(List<Path> nodes, List<Long> bytes) throws IOException {
        return new HostHardware(new SystemTree(Path.of("/")))
                .read(HostHardware.disks(nodes, bytes), Mount.all());
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        if (setup.prealloc()) {
            throw new IllegalArgumentException("--prealloc is for guests in memory: leave it out"
                    + " for a machine");
        }
        MachineUri.Target target = MachineUri.target(uri);
        MachineFolder folder = MachineFolder.of(target);
        folder.requireFree();
        if (target.start()) {
            new MachineStart(folder).requirePossible();
        }
        return new IncomingMachine(folder, target.start(), setup);
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        Optional<GuestHandle> target = MachineHandle.of(recoveryAddress)
                .map(GuestHandle.class::cast);
        return target.isPresent() ? target : disks.handle(recoveryAddress)
                .map(handle -> MachineSource.of(handle, recoveryAddress));
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    /** What is booted here is this host's affair. */
    @Override
    public Optional<String> operatorsOwn(GuestUri uri) {
        return Optional.of(MachineUri.START).filter(uri.parameters()::containsKey);
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        List<Finding> rows = new ArrayList<>();
        List<Path> nodes = MachineUri.disks(uri);
        if (nodes.isEmpty()) {
            HostDisks found = HostDisks.ofHost();
            nodes = found.disks();
            found.left().forEach(line -> rows.add(ok("left out", line)));
        }
        rows.addAll(0, disks.inspect(MachineUri.of(uri, nodes)));
        try {
            Hardware hardware = hardware(nodes, nodes.stream().map(node -> 1L).toList());
            rows.add(ok("machine", hardware.name() + ", " + (hardware.uefi() ? "UEFI" : "BIOS")
                    + ", " + (hardware.memoryBytes() >> 20) + " MiB of memory, "
                    + hardware.cpus() + " processors"));
            hardware.cards().forEach(card -> rows.add(ok("network", card.name() + ", "
                    + card.mac())));
        } catch (IOException e) {
            rows.add(new Finding("machine", Verdict.REFUSED, "its hardware", e.getMessage(),
                    "move its disks alone, as disk:"));
        }
        return rows;
    }

    private static Finding ok(String what, String found) {
        return new Finding(what, Verdict.OK, found, "", "");
    }
}
