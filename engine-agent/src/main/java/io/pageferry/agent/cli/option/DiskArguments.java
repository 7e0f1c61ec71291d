package io.pageferry.agent.cli.option;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.session.GuestFactory;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of the source that concern disks. */
public final class DiskArguments {
    private static final List<String> SCHEMES = List.of("disk", "machine");
    private static final String ON_READ_ERROR = "on-read-error";

    @Option(names = "--" + ON_READ_ERROR, paramLabel = "stop|zero", description = "of a disk: what"
            + " to do about a part that cannot be read, default stop; zero: it is moved as zeros,"
            + " and said")
    private String onReadError;

    @Option(names = "--as-copy", description = "of a disk: what arrives is a copy that never runs"
            + " beside this one; needed for --after thaw")
    private boolean asCopy;

    @Option(names = "--quiesce", paramLabel = "CMD", description = "of a disk that is mounted: run"
            + " before it is frozen, to stop who writes to it")
    private String quiesce;

    /** Made by the command line. */
    public DiskArguments() {
    }

    /**
     * Adds them to the guest.
     *
     * @param uri the guest as given
     * @return the guest with what was given
     * @throws UsageException where something was given for another kind of guest
     */
    public GuestUri of(GuestUri uri) {
        requireDisk(uri, ON_READ_ERROR, onReadError != null);
        requireDisk(uri, "as-copy", asCopy);
        requireDisk(uri, "quiesce", quiesce != null);
        if (onReadError == null) {
            return uri;
        }
        if (!onReadError.equals("stop") && !onReadError.equals("zero")) {
            throw new UsageException("--" + ON_READ_ERROR + " " + onReadError
                    + ": there are stop, zero");
        }
        return uri.with(ON_READ_ERROR, onReadError);
    }

    private static void requireDisk(GuestUri uri, String option, boolean given) {
        if (given && !SCHEMES.contains(uri.scheme())) {
            throw new UsageException("--" + option + " is for disk: guests and for machine:,"
                    + " not for " + uri.text());
        }
    }

    /**
     * Checks what is to become of the guest here.
     *
     * @param after as chosen
     * @return the same
     * @throws UsageException where two disks of one identity would be written
     */
    public After after(After after) {
        if (after == After.THAW && !asCopy) {
            throw new UsageException("--after thaw has the source go on beside what it became at"
                    + " the target: add --as-copy, where that is a copy which never runs");
        }
        return after;
    }

    /**
     * Says how the guest is opened. The command is this operator's and in no journal.
     *
     * @param uri of the guest
     * @return how it is reached
     */
    public GuestFactory<SourceGuest> source(GuestUri uri) {
        GuestFactory<SourceGuest> usual = GuestFactory.source(uri);
        return quiesce == null ? usual : new GuestFactory<>(usual.text(),
                setup -> usual.opener().open(setup.quiescedBy(quiesce)), usual.warmUp(),
                usual.startup());
    }
}
