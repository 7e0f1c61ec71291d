package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Has a system start on other hardware than it was installed on, and keep its names there. What is
 * to be changed is known before anything is; the same on a disk and on a running system.
 */
public final class Adaptation {
    private final Edits edits;
    private final Devices devices;
    private final Options options;
    private final Initramfs initramfs;
    private String hostname = "";

    /**
     * What is wanted.
     *
     * @param world    to start on
     * @param macs     of the cards that get a configured name, by the name
     * @param identity the name of a copy that gets one of its own, empty for a name that is made;
     *                 none where the system stays who it is
     */
    public record Options(World world, Map<String, String> macs, Optional<String> identity) { }

    private Adaptation(SystemTree tree, Devices devices, Options options) throws IOException {
        this.edits = new Edits(tree);
        this.devices = devices;
        this.options = options;
        this.initramfs = Initramfs.of(edits);
    }

    /**
     * Finds out what is to be changed. Nothing is.
     *
     * @param tree    the system
     * @param devices which are there
     * @param options what is wanted
     * @return the adaptation
     * @throws IOException where it cannot be done, with what to do
     */
    public static Adaptation plan(SystemTree tree, Devices devices, Options options)
            throws IOException {
        Adaptation adaptation = new Adaptation(tree, devices, options);
        Edits edits = adaptation.edits;
        Fstab.adapt(edits, devices);
        Crypttab.adapt(edits, devices);
        BootFiles.adapt(edits, devices, options.world());
        FallbackLoader.adapt(edits);
        if (InterfaceNames.adapt(edits, options.macs(), devices.cards())) {
            adaptation.initramfs.outdated();
        }
        adaptation.initramfs.adapt(options.world());
        if (options.identity().isPresent()) {
            adaptation.hostname = CloneIdentity.adapt(edits, options.identity().get());
        }
        BootFiles.check(edits, devices);
        return adaptation;
    }

    /** {@return what it changes} */
    public List<Edits.Edit> edits() {
        return edits.all();
    }

    /** {@return changes that may have something added, before they are applied} */
    public Edits changes() {
        return edits;
    }

    /** {@return what somebody should look at; more once it is done} */
    public List<String> warnings() {
        return edits.warnings();
    }

    /** {@return the name of a clone, empty of what stays who it is} */
    public String hostname() {
        return hostname;
    }

    /**
     * Changes the files, has the system make what follows from them, and looks at what came of it.
     *
     * @param programs of the system
     * @return whether an initramfs had to be made
     * @throws IOException where something failed; files are changed then
     */
    public boolean apply(Programs programs) throws IOException {
        edits.apply();
        if (options.identity().isPresent()) {
            CloneIdentity.finish(edits.tree(), programs);
        }
        boolean made = initramfs.build(options.world(), programs);
        // Again, as the system's programs may have written there.
        Edits written = new Edits(edits.tree());
        BootFiles.check(written, devices);
        written.warnings().forEach(edits::warn);
        return made;
    }

    /**
     * Has a system make its initramfs anew, of what its files say.
     *
     * @param tree     the system
     * @param programs of it
     * @throws IOException where that fails
     */
    public static void remakeInitramfs(SystemTree tree, Programs programs) throws IOException {
        Initramfs.of(new Edits(tree)).make(programs);
    }
}
