package io.pageferry.agent.cli.option;

import io.pageferry.agent.guest.GuestUri;
import picocli.CommandLine.Option;

/** Options of the source that concern disks. */
public final class DiskArguments {
    private static final String SCHEME = "disk";
    private static final String ON_READ_ERROR = "on-read-error";

    @Option(names = "--" + ON_READ_ERROR, paramLabel = "stop|zero", description = "of a disk: what"
            + " to do about a part that cannot be read, default stop; zero: it is moved as zeros,"
            + " and said")
    private String onReadError;

    @Option(names = "--as-copy", hidden = true)
    private boolean asCopy;

    @Option(names = "--quiesce", hidden = true, paramLabel = "CMD")
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
        if (onReadError == null) {
            return uri;
        }
        if (!uri.scheme().equals(SCHEME)) {
            throw new UsageException("--" + ON_READ_ERROR + " is for disk: guests, not for "
                    + uri.text());
        }
        if (!onReadError.equals("stop") && !onReadError.equals("zero")) {
            throw new UsageException("--" + ON_READ_ERROR + " " + onReadError
                    + ": there are stop, zero");
        }
        return uri.with(ON_READ_ERROR, onReadError);
    }
}
