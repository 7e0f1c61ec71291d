package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

/** What a copy of a system must not have in common with it: names and keys. */
final class CloneIdentity {
    private static final String MACHINE = "/etc/machine-id";
    private static final String DBUS = "/var/lib/dbus/machine-id";
    private static final String HOSTNAME = "/etc/hostname";
    private static final String HOSTS = "/etc/hosts";
    private static final String SSH = "/etc/ssh";
    private static final int SUFFIX = 6;

    private CloneIdentity() {
    }

    /** Makes it another one. Returns its host's name. */
    static String adapt(Edits edits, String name) throws IOException {
        String id = UUID.randomUUID().toString().replace("-", "");
        SystemTree tree = edits.tree();
        if (tree.exists(MACHINE)) {
            edits.write(MACHINE, id + "\n", "a machine-id of its own");
        }
        if (!tree.resolve(DBUS).equals(tree.resolve(MACHINE))) {
            edits.remove(DBUS, "the old machine-id");
        }
        for (String key : tree.list(SSH)) {
            if (key.startsWith("ssh_host_")) {
                edits.remove(SSH + "/" + key, "ssh makes keys of its own");
            }
        }
        for (String folder : List.of("/var/lib/dhcp", "/var/lib/dhclient",
                "/var/lib/NetworkManager", "/var/lib/systemd/network")) {
            for (String lease : tree.list(folder)) {
                if (lease.contains("lease")) {
                    edits.remove(folder + "/" + lease, "another's lease");
                }
            }
        }
        edits.remove("/var/lib/systemd/random-seed", "another's seed");
        return hostname(edits, name, id);
    }

    private static String hostname(Edits edits, String name, String id) throws IOException {
        String old = edits.read(HOSTNAME).orElse("").strip();
        String host = !name.isEmpty() ? name : (old.isEmpty() ? "clone" : old.replaceFirst(
                "\\..*", "")) + "-" + id.substring(0, SUFFIX);
        edits.write(HOSTNAME, host + "\n", "a name of its own");
        String hosts = edits.read(HOSTS).orElse("");
        if (!old.isEmpty() && !hosts.isEmpty()) {
            edits.write(HOSTS, Pattern.compile("(?<![\\w.-])" + Pattern.quote(old)
                    + "(?![\\w-])").matcher(hosts).replaceAll(host), "a name of its own");
        }
        return host;
    }

    /** Has ssh make the keys that were removed: a distribution may make them at install alone. */
    static void finish(SystemTree tree, Programs programs) throws IOException {
        if (tree.exists(SSH + "/sshd_config")) {
            tree.requireProgram("ssh-keygen");
            programs.run(List.of("ssh-keygen", "-A"));
        }
    }
}
