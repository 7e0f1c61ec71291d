package io.pageferry.agent.guest.image;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * An image whose agent is gone, as a guard finds it. What is at its path may be another one by now:
 * it is known by its token, another one in each migration.
 *
 * @param image as far as it was made
 */
record AbandonedImage(UnpublishedImage image) implements GuestHandle {
    private static final String FILE = "image";
    private static final String BIRTH = "birth";
    /** No image has it: one whose token is not known is not found. */
    private static final String NONE = "unknown";

    /** Finds the image of an {@link #address}. */
    static Optional<AbandonedImage> of(Map<String, String> address) {
        return Optional.ofNullable(address.get(FILE)).map(file -> new AbandonedImage(
                new UnpublishedImage(Path.of(file), address.getOrDefault(BIRTH, NONE))));
    }

    /** Returns how a guard finds it again. */
    Map<String, String> address() {
        return Map.of(FILE, image.file().toString(), BIRTH, image.birth());
    }

    @Override
    public Condition condition() throws GuestException {
        try {
            return image.exists() ? Condition.PAUSED : Condition.GONE;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot tell whose image "
                    + image.file() + " is: " + e.getMessage(), "look at it, and at its table");
        }
    }

    /** An image does not run; but only now it gets its name. */
    @Override
    public void resume() throws GuestException {
        try {
            image.publish();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot give the image "
                    + image.part() + " its name: " + e.getMessage(), "rename it by hand");
        }
    }

    @Override
    public void end() throws GuestException {
        forget();
    }

    @Override
    public void forget() throws GuestException {
        Optional<IOException> left = image.delete();
        if (left.isPresent()) {
            throw new GuestException(ErrorCode.HOST_FAILED,
                    "cannot delete the image: " + left.get().getMessage(), "delete "
                    + image.part());
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
