package io.pageferry.agent.cli.file;

import io.pageferry.agent.guest.image.StoredImage;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry image info|verify FILE}: what an image is, and whether it still is that. */
@Command(name = "image", description = "what an image holds, and whether it is as it was stored")
public final class ImageCommand implements Callable<Integer> {
    private static final int REFUSED = 3;

    /** What can be asked of an image. */
    enum Ask {
        /** Tell what it is. */
        info,
        /** Read all of it. */
        verify
    }

    @Parameters(index = "0", paramLabel = "info|verify")
    private Ask ask;

    @Parameters(index = "1", paramLabel = "FILE", description = "the image, without image:")
    private Path file;

    @Option(names = "--json", description = "one JSON object on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public ImageCommand() {
    }

    @Override
    public Integer call() {
        Output output = new Output(System.out, System.err, json);
        try {
            StoredImage image = StoredImage.open(file);
            return ask == Ask.info ? image.info(output) : image.verify(output);
        } catch (IOException e) {
            if (verbose) {
                e.printStackTrace(System.err);
            }
            output.note("pageferry: " + e.getMessage() + StoredImage.remedy(file));
            return REFUSED;
        }
    }
}
