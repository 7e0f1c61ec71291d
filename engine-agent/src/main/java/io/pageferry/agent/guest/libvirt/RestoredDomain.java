package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.agent.host.process.ProcessInstance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What an agent left of a {@link Restore} for whoever finishes it: which QEMU it is, and whether
 * its state was loaded but for the end.
 *
 * @param folder of the pipe
 */
record RestoredDomain(SocketFolder folder) {
    /** From which QEMU reads its state. */
    static final String PIPE = "pipe";

    private static final String QEMU = "qemu";
    private static final String DEFINED = "defined";
    private static final String LOADED = "loaded";

    void started(ProcessInstance qemu) throws IOException {
        Map<String, String> address = new HashMap<>();
        qemu.putInto(address);
        StringBuilder text = new StringBuilder();
        address.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        PrivateFiles.create(folder.socket(QEMU));
        Files.writeString(folder.socket(QEMU), text);
    }

    /** The domain was not defined here before, and is now. */
    void defined() throws IOException {
        PrivateFiles.create(folder.socket(DEFINED));
    }

    boolean isDefined() {
        return Files.exists(folder.socket(DEFINED));
    }

    void loaded() throws IOException {
        PrivateFiles.create(folder.socket(LOADED));
    }

    /** Empty where none was started. */
    Optional<ProcessInstance> qemu() {
        try {
            Map<String, String> address = new HashMap<>();
            Files.readString(folder.socket(QEMU)).lines().map(line -> line.split("=", 2))
                    .filter(pair -> pair.length == 2)
                    .forEach(pair -> address.put(pair[0], pair[1]));
            return Optional.of(ProcessInstance.of(address));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean isLoaded() {
        return Files.exists(folder.socket(LOADED));
    }

    /**
     * Finds the QEMU that has the pipe open to read its state; libvirtd may have it too. One that
     * was noted is not looked for.
     */
    Optional<ProcessInstance> reader() throws IOException {
        Path pipe = folder.socket(PIPE);
        if (!Files.exists(pipe)) {
            return Optional.empty();
        }
        Optional<ProcessInstance> noted = qemu();
        if (noted.isPresent()) {
            return noted.filter(one -> one.isAlive() && ProcessMaps.holds(one.pid(), pipe));
        }
        for (long pid : ProcessMaps.holdersOf(pipe)) {
            if (waits(pid)) {
                long start = Processes.startTicks(pid).orElse(-1);
                return start < 0 ? Optional.empty()
                        : Optional.of(new ProcessInstance(pid, start));
            }
        }
        return Optional.empty();
    }

    private static boolean waits(long pid) {
        try {
            return Arrays.asList(Files.readString(Path.of("/proc/" + pid + "/cmdline"),
                    StandardCharsets.ISO_8859_1).split("\0")).contains("-incoming");
        } catch (IOException e) {
            return false;
        }
    }

    /** Forgets a domain that was defined for a guest that does not come; best effort. */
    void undefine(LibvirtUri uri) {
        if (!isDefined()) {
            return;
        }
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            domain.undefine(false);
        } catch (LibvirtException e) {
            return; // it does not run, and virsh undefine forgets it as well
        }
    }
}
