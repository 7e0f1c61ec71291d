package io.pageferry.agent.cli.option;

import io.pageferry.agent.guest.GuestUri;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of both sides that concern a guest under libvirt. */
public final class DomainArguments {
    private static final String SCHEME = "libvirt";

    @Option(names = "--xml", paramLabel = "FILE", description = "of libvirt: guests: a description"
            + " of the domain in place of the source's, as virsh dumpxml prints it")
    private Path xml;

    /** Made by the command line. */
    public DomainArguments() {
    }

    /**
     * Adds them to the guest.
     *
     * @param text   the guest as given
     * @param option of this side alone, without its dashes
     * @param given  whether that was given
     * @return the guest with what was given
     * @throws UsageException where something was given for another kind of guest
     */
    public GuestUri guest(String text, String option, boolean given) {
        GuestUri uri = GuestUri.parse(text);
        if (!uri.scheme().equals(SCHEME) && (given || xml != null)) {
            throw new UsageException("--" + (given ? option : "xml") + " is for libvirt: guests,"
                    + " not for " + text);
        }
        GuestUri with = given ? uri.with(option, "") : uri;
        return xml == null ? with : with.with("xml", xml.toAbsolutePath().toString());
    }
}
