package io.pageferry.agent.guest.machine;

import io.pageferry.agent.host.machine.address.MovedAddresses;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A machine at the source whose agent is gone: its disks, and the addresses that were taken off.
 *
 * @param disks     of it
 * @param addresses that are put back where it goes on
 */
record MachineSource(GuestHandle disks, MovedAddresses addresses) implements GuestHandle {
    private static final String ADDRESSES = "addresses";

    /** What of it is in a journal. */
    static Map<String, String> address(Map<String, String> disks, MovedAddresses addresses) {
        Map<String, String> all = new HashMap<>(disks);
        all.put(ADDRESSES, addresses.folder().toString());
        return all;
    }

    /** Adds the addresses to what was found of the disks, where any were moved. */
    static GuestHandle of(GuestHandle disks, Map<String, String> address) {
        return Optional.ofNullable(address.get(ADDRESSES)).<GuestHandle>map(folder ->
                new MachineSource(disks, MovedAddresses.ofHost(Path.of(folder)))).orElse(disks);
    }

    /** Does so once the disks go on: what hangs then is not more than the network. */
    static void putBack(MovedAddresses addresses) throws GuestException {
        try {
            addresses.putBack();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "this machine goes on, and its"
                    + " addresses could not be put back: " + e.getMessage(), "ip -batch "
                    + addresses.folder() + "/add.batch").retryable();
        }
    }

    @Override
    public Condition condition() throws GuestException {
        return disks.condition();
    }

    @Override
    public void resume() throws GuestException {
        disks.resume();
        putBack(addresses);
    }

    @Override
    public void leave() throws GuestException {
        disks.leave();
    }

    @Override
    public void end() throws GuestException {
        disks.end();
    }

    @Override
    public void forget() throws GuestException {
        disks.forget();
    }

    @Override
    public void close() {
        disks.close();
    }
}
