package io.pageferry.agent.guest.qemu.qmp;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Where the monitor of a QEMU is, and who ends that QEMU. */
public interface MonitorAddress {
    /**
     * Connects to it.
     *
     * @param pid of the QEMU
     * @return the monitor, the caller's to close
     * @throws IOException when it cannot be reached
     */
    QemuControl connect(long pid) throws IOException;

    /**
     * Has QEMU end; it may still exist when this returns.
     *
     * @param qemu its monitor
     * @throws IOException when nobody obeyed
     */
    void end(QemuControl qemu) throws IOException;

    /**
     * Lets QEMU have its disks again, before the guest goes on after a move that came to nothing.
     * Doing it twice does no harm.
     */
    default void keepsGuest() {
        // Mostly nobody took them from it.
    }

    /**
     * Does what is left once QEMU has ended after a move. Doing it twice does no harm.
     */
    default void ended() {
        // Most QEMUs leave nothing.
    }

    /**
     * Returns what a target has to know about where the guest comes from.
     *
     * @return attributes of the guest's description
     */
    Map<String, String> attributes();

    /**
     * Writes down how it is found again.
     *
     * @param recoveryAddress gets it
     */
    void putInto(Map<String, String> recoveryAddress);

    /** {@return what to do where it cannot be reached} */
    String remedy();

    /**
     * A socket on which QEMU listens for this agent alone.
     *
     * @param path real path of it
     */
    record Socket(Path path) implements MonitorAddress {
        private static final String KEY = "qmp";

        /**
         * Finds again what {@link #putInto} wrote.
         *
         * @param recoveryAddress of a journal
         * @return the address
         */
        public static Socket of(Map<String, String> recoveryAddress) {
            return new Socket(Path.of(recoveryAddress.get(KEY)));
        }

        @Override
        public QemuControl connect(long pid) throws IOException {
            return new QemuControl(QmpClient.connect(path), pid);
        }

        @Override
        public void end(QemuControl qemu) throws QmpException {
            qemu.quit();
        }

        @Override
        public Map<String, String> attributes() {
            return Map.of();
        }

        @Override
        public void putInto(Map<String, String> recoveryAddress) {
            recoveryAddress.put(KEY, path.toString());
        }

        @Override
        public String remedy() {
            return "give Pageferry a -qmp of its own";
        }
    }
}
