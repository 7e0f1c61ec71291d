package io.pageferry.agent.guest.image;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code image:/path/file}: a target only, which rebuilds the memory image into a file. */
public final class ImageKind implements GuestKind {
    static final String SCHEME = "image";

    /** Made by the service loader. */
    public ImageKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) {
        throw new IllegalArgumentException(
                "an image can be a target, never a source: give a guest that runs");
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        return new ImageTarget(file(uri), setup.room());
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        return AbandonedImage.of(recoveryAddress).map(image -> image);
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        return List.of(new Finding("guest", Verdict.OK, "supported as target: " + file(uri), "",
                ""));
    }

    private static Path file(GuestUri uri) throws GuestException {
        if (uri.rest().isEmpty() || !uri.parameters().isEmpty()) {
            throw new IllegalArgumentException("write image:/path/file, not " + uri.text());
        }
        Path file = Path.of(uri.rest()).toAbsolutePath();
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw new GuestException(ErrorCode.HOST_FAILED, "no image can be made at " + file
                    + ": its folder is not there or cannot be written to", "make the folder");
        }
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return file;
        }
        // A link would be replaced by the image, and not what it leads to.
        Path real = real(file);
        if (!Files.isRegularFile(real)) {
            throw new GuestException(ErrorCode.HOST_FAILED, file + " is no regular file",
                    "name a file");
        }
        return real;
    }

    private static Path real(Path file) throws GuestException {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, file
                    + " is a link that leads nowhere, or to what has no name",
                    "name a file");
        }
    }
}
