package io.pageferry.core.testing;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.IncomingGuest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The other half of {@link TestGuest}: takes its memory, and checks every page against the table
 * of versions in its state before its first instruction. Confined to one thread.
 */
public final class TestIncomingGuest implements IncomingGuest {
    private final EventLog log;
    private final Function<RegionTable, TestImage> images;
    private TestImage image;
    private Workload loaded;
    private long wrongPages;
    private boolean running;
    private boolean strays;
    private boolean ranUnauthorised;
    private GuestException fitFailure;
    private boolean readsAtOnce = true;
    private GuestException prepareFailure;
    private GuestException loadFailure;
    private GuestException resumeFailure;
    private GuestException discardFailure;
    private final Set<String> broken = new HashSet<>();
    private String endedWhy;
    private long features;
    private Optional<String> access = Optional.empty();

    /**
     * Makes a guest that waits.
     *
     * @param images makes the image that is to be filled
     * @param log    receives {@code target.load} and so on
     */
    public TestIncomingGuest(Function<RegionTable, TestImage> images, EventLog log) {
        this.images = images;
        this.log = log;
    }

    /**
     * Says how its memory is reached, where it is to say so.
     *
     * @param way one word
     */
    public void reachedBy(String way) {
        access = Optional.of(way);
    }

    @Override
    public Optional<String> memoryAccess() {
        return access;
    }

    /**
     * Says what it can do.
     *
     * @param bits of {@link io.pageferry.core.link.Message.Hello}
     */
    public void can(long bits) {
        features = bits;
    }

    @Override
    public long features() {
        return features;
    }

    /**
     * Says why the offered guest does not fit.
     *
     * @param failure thrown each time
     */
    public void failFit(GuestException failure) {
        fitFailure = failure;
    }

    /**
     * Says how the preparation fails.
     *
     * @param failure thrown each time
     */
    public void failPrepare(GuestException failure) {
        prepareFailure = failure;
    }

    /**
     * Says how loading fails.
     *
     * @param failure thrown each time
     */
    public void failLoad(GuestException failure) {
        loadFailure = failure;
    }

    /**
     * Says how the resume fails.
     *
     * @param failure thrown each time
     */
    public void failResume(GuestException failure) {
        resumeFailure = failure;
    }

    /**
     * Ends by itself.
     *
     * @param why as {@link #ended} will say
     */
    public void crash(String why) {
        running = false;
        endedWhy = why;
        log.add("target.crash");
    }

    /** {@return whether it runs} */
    public boolean isRunning() {
        return running;
    }

    /** {@return whether a state was loaded} */
    public boolean isLoaded() {
        return loaded != null;
    }

    /** {@return pages that were not as the guest left them when it first ran or should have} */
    public long wrongPages() {
        return wrongPages;
    }

    /** {@return the image, null before the offer} */
    public TestImage image() {
        return image;
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        if (fitFailure != null) {
            throw fitFailure;
        }
    }

    @Override
    public boolean readsAtOnce() {
        return readsAtOnce;
    }

    /** Its image answers "not yet" now and then. */
    void readsLater() {
        readsAtOnce = false;
    }

    @Override
    public TestImage prepare(GuestDescription offered) throws GuestException {
        log.add("target.prepare");
        requireSound("prepare");
        if (prepareFailure != null) {
            throw prepareFailure;
        }
        image = images.apply(offered.regions());
        return image;
    }

    @Override
    public void stateComes() {
        log.add("target.state comes");
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        log.add("target.load");
        requireSound("load");
        if (loadFailure != null) {
            throw loadFailure;
        }
        loaded = Workload.load(state);
        for (int page = 0; page < loaded.pages(); page++) {
            if (!Arrays.equals(loaded.content(page), image.read(page))) {
                wrongPages++;
            }
        }
    }

    @Override
    public void resume() throws GuestException {
        log.add(resumeFailure == null ? "target.resume" : "target.resume failed");
        requireSound("resume");
        if (loaded == null) {
            throw new IllegalStateException("resumed without a state");
        }
        if (resumeFailure != null) {
            throw resumeFailure;
        }
        running = true;
    }

    /** Somebody else lets it run. */
    public void stray() {
        log.add("target.strays");
        running = true;
        strays = true;
    }

    @Override
    public boolean ranUnauthorised() {
        requireSound("ranUnauthorised");
        if (strays) {
            log.add("target.paused again");
            running = false;
            strays = false;
            ranUnauthorised = true;
        }
        return ranUnauthorised;
    }

    /**
     * Says how the end of the guest fails.
     *
     * @param failure thrown each time by {@link #discardOrThrow}
     */
    public void failDiscard(GuestException failure) {
        discardFailure = failure;
    }

    /**
     * Says in which method there is a bug.
     *
     * @param method its name: {@code prepare}, {@code load}, {@code resume}, {@code
     *               ranUnauthorised}, {@code discard}
     */
    public void breakIn(String method) {
        broken.add(method);
    }

    private void requireSound(String method) {
        if (broken.contains(method)) {
            throw new IllegalStateException("a bug in " + method);
        }
    }

    @Override
    public void discard() {
        requireSound("discard");
        log.add("target.discard");
        running = false;
    }

    @Override
    public void discardOrThrow() throws GuestException {
        if (discardFailure != null) {
            log.add("target.discard failed");
            throw discardFailure;
        }
        discard();
    }

    @Override
    public Optional<String> ended() {
        return Optional.ofNullable(endedWhy);
    }

    /** Frees its image. Idempotent. */
    @Override
    public void close() {
        if (image != null) {
            image.close();
        }
    }
}
