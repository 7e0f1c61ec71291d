package io.pageferry.agent.host.machine.boot;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.util.List;

/**
 * A unit of systemd that looks, before anything of a boot that others could notice, whether the
 * machine was moved away. Where it was, or nobody can tell, the boot ends there.
 *
 * @param program   the pageferry command
 * @param arguments of boot-check, as they are typed
 */
public record BootUnit(String program, String arguments) {
    static final String PATH = "/etc/systemd/system/pageferry-boot-check.service";

    /**
     * All that has the usual dependencies wants sysinit.target; these three that make a network
     * have not.
     */
    private static final List<String> HELD = List.of("sysinit.target", "networking.service",
            "ifup@.service", "systemd-networkd.service");

    /**
     * Adds the unit, and has what must not start before wait for it.
     *
     * @param edits of the system
     * @throws IOException where it could not tell this hardware from another
     */
    public void add(Edits edits) throws IOException {
        if (new MoveMark(edits.tree()).hardware().isEmpty()) {
            throw Refusal.of("this hardware has no UUID of its own, by which a boot would know that"
                    + " it is not the target", "leave --boot-check out, and power the machine off"
                    + " at once when it was moved");
        }
        edits.write(PATH, """
                # By pageferry prepare.
                [Unit]
                Description=Pageferry: whether this machine was moved away
                DefaultDependencies=no
                ConditionPathExists=%s
                After=local-fs.target systemd-udevd.service systemd-udev-trigger.service
                Before=sysinit.target network-pre.target shutdown.target
                Conflicts=shutdown.target
                Wants=network-pre.target
                OnFailure=emergency.target
                OnFailureJobMode=replace-irreversibly

                [Service]
                Type=oneshot
                RemainAfterExit=yes
                ExecStart=%s
                StandardOutput=journal+console
                StandardError=journal+console
                TimeoutStartSec=10min
                """.formatted(MoveMark.PATH, (program + " boot-check " + arguments).strip()),
                "a boot asks whether the machine was moved away");
        for (String unit : HELD) {
            edits.write("/etc/systemd/system/" + unit + ".d/50-pageferry.conf", """
                    # By pageferry prepare.
                    [Unit]
                    Requires=pageferry-boot-check.service
                    After=pageferry-boot-check.service
                    """, "waits for that");
        }
    }
}
