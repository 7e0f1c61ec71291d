package io.pageferry.agent.cli.option;

import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.report.ProgressMode;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.words.Labelled;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;

/**
 * Converts the word of an option into one of several values.
 *
 * @param values those of this version, in the order in which they are listed
 * @param later  words of a later version
 * @param <E>    what is chosen
 */
public record Choice<E extends Labelled>(List<E> values, List<String> later)
        implements ITypeConverter<E> {
    /**
     * Registers the words of every option that is an enum with a command line.
     *
     * @param line with all its commands
     */
    public static void register(CommandLine line) {
        line.registerConverter(Verification.class, new Choice<>(List.of(Verification.SENT,
                Verification.FULL, Verification.NONE), List.of("strong")));
        line.registerConverter(CodecChoice.class, of(CodecChoice.values()));
        line.registerConverter(TrackerChoice.class, new Choice<>(List.of(TrackerChoice.values()),
                List.of("kvm")));
        line.registerConverter(Policy.class, of(Policy.values()));
        line.registerConverter(OnNoConvergence.class, of(OnNoConvergence.values()));
        line.registerConverter(ProgressMode.class, of(ProgressMode.values()));
        line.registerConverter(World.class, of(World.values()));
        line.registerConverter(Path.class, Choice::path);
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new UsageException(text + " is no name of a file in the locale of this JVM:"
                    + " set LC_ALL=C.UTF-8");
        }
    }

    private static <E extends Labelled> Choice<E> of(E[] values) {
        return new Choice<>(List.of(values), List.of());
    }

    /**
     * Finds a value by its word.
     *
     * @param text from the command line
     * @return the value
     * @throws UsageException when there is none; its message lacks the option's name before it
     */
    @Override
    public E convert(String text) {
        return values.stream().filter(value -> value.label().equals(text)).findFirst()
                .orElseThrow(() -> new UsageException(later.contains(text)
                        ? text + " is not in this version"
                        : text + ": there are " + words()));
    }

    /** {@return the words of this version, parted by commas} */
    public String words() {
        return values.stream().map(Labelled::label).collect(Collectors.joining(", "));
    }
}
