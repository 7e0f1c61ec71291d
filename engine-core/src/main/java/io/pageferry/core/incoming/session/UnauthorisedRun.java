package io.pageferry.core.incoming.session;

/** Keeps whether another process let the loaded guest run before it was granted. */
public final class UnauthorisedRun {
    private static final String LIVED_TWICE = "; somebody had let the guest run here before it was"
            + " granted, and the source's lives from before that on: what it did here is lost to"
            + " it, and what it wrote to a shared disk is not; check that disk";

    private final TargetContext context;
    private boolean happened;

    /**
     * Begins with a guest that never ran.
     *
     * @param context of the migration
     */
    public UnauthorisedRun(TargetContext context) {
        this.context = context;
    }

    /** {@return whether it ran} */
    public boolean happened() {
        return happened;
    }

    /**
     * Checks whether another process let the guest run, and pauses it again. If the guest is
     * granted, it goes on from there, and nothing was lived twice; only if it is refused, what it
     * did here is lost. To be called each time: the same process may do it again.
     */
    public void look() {
        if (context.parts().guest().ranUnauthorised() && !happened) {
            happened = true;
            context.warn("somebody let the guest run here before it was granted; it was paused"
                    + " again, and goes on from there once it is granted");
        }
    }

    /** Looks once more, at a guest that has ended. */
    public void lookQuietly() {
        happened |= context.parts().guest().ranUnauthorised();
    }

    /**
     * Adds, aloud, what that brought about where the source's guest goes on.
     *
     * @param why the source's guest goes on
     * @return the same, with what was lost
     */
    public String addTo(String why) {
        if (!happened) {
            return why;
        }
        context.warn(why + LIVED_TWICE);
        return why + LIVED_TWICE;
    }
}
