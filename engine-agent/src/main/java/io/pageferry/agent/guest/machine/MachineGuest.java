package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.machine.address.MovedAddresses;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * This machine as a guest: its disks, and its hardware as the device state. What hardware there is
 * was read when it was opened, as nothing is read while its root is frozen.
 */
final class MachineGuest implements SourceGuest {
    private static final String MEMORY = "machine.memory";

    private final SourceGuest disks;
    private final Hardware hardware;
    private final byte[] state;
    private final Optional<MovedAddresses> addresses;
    private MovedAddresses.Result moved = new MovedAddresses.Result(List.of(), List.of());

    /**
     * Makes the guest.
     *
     * @param disks     of it; closed with it
     * @param hardware  of it
     * @param addresses that go with it; empty where it keeps them
     * @throws IOException where the hardware is none that a target takes
     */
    MachineGuest(SourceGuest disks, Hardware hardware, Optional<MovedAddresses> addresses)
            throws IOException {
        this.disks = disks;
        this.addresses = addresses;
        this.hardware = hardware;
        this.state = HardwareJson.write(hardware);
        // What the target would refuse in the end is found now.
        HardwareJson.read(state);
    }

    /** How much memory a machine has that is offered; empty where that is not said. */
    static Optional<Long> memoryOf(GuestDescription offered) {
        String text = offered.attributes().getOrDefault(MEMORY, "");
        return text.matches("[0-9]{1,16}") ? Optional.of(Long.valueOf(text)) : Optional.empty();
    }

    @Override
    public GuestDescription describe() {
        GuestDescription inner = disks.describe();
        Map<String, String> attributes = new HashMap<>(inner.attributes());
        attributes.put(MEMORY, Long.toString(hardware.memoryBytes()));
        return new GuestDescription(MachineKind.SCHEME, hardware.name(), inner.regions(),
                inner.dataBytes(), attributes);
    }

    @Override
    public PageSource memory() {
        return disks.memory();
    }

    @Override
    public DirtyTracker tracker() {
        return disks.tracker();
    }

    @Override
    public String trackerReason() {
        return disks.trackerReason();
    }

    @Override
    public Optional<String> memoryAccess() {
        return disks.memoryAccess();
    }

    @Override
    public boolean isRunning() throws GuestException {
        return disks.isRunning();
    }

    @Override
    public Optional<String> ended() {
        return disks.ended();
    }

    @Override
    public void requireUnchanged() throws GuestException {
        disks.requireUnchanged();
    }

    @Override
    public void requireUnchangedPaused() throws GuestException {
        disks.requireUnchangedPaused();
    }

    /** The other one may answer by its addresses from the grant on. */
    @Override
    public void keepPaused() throws GuestException {
        disks.keepPaused();
        if (addresses.isPresent()) {
            try {
                moved = addresses.get().takeOff();
            } catch (IOException e) {
                throw new GuestException(ErrorCode.GUEST_FAILED, "the addresses of this machine"
                        + " could not be taken off: " + e.getMessage(), "install iproute2, or move"
                        + " the disks alone, as disk:");
            }
        }
    }

    @Override
    public boolean freezes(Path folder) throws GuestException {
        return disks.freezes(folder);
    }

    @Override
    public boolean readyToPause() throws GuestException {
        return disks.readyToPause();
    }

    @Override
    public void pause() throws GuestException {
        disks.pause();
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        out.write(state);
    }

    @Override
    public void resume() throws GuestException {
        disks.resume();
        if (addresses.isPresent()) {
            MachineSource.putBack(addresses.get());
        }
    }

    @Override
    public void end() throws GuestException {
        disks.end();
    }

    @Override
    public Optional<String> keepWarning() {
        return disks.keepWarning();
    }

    @Override
    public Optional<String> leftHere() {
        String more = (moved.off().isEmpty() ? "" : "; taken off: "
                + String.join(", ", moved.off())) + (moved.stay().isEmpty() ? ""
                : "; still here, as the target is heard by them: "
                + String.join(", ", moved.stay()));
        return disks.leftHere().map(line -> line + more);
    }

    @Override
    public String identity() {
        return disks.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return addresses.isEmpty() ? disks.recoveryAddress()
                : MachineSource.address(disks.recoveryAddress(), addresses.get());
    }

    @Override
    public Optional<Unread> unread() {
        return disks.unread();
    }

    @Override
    public void close() {
        disks.close();
    }
}
