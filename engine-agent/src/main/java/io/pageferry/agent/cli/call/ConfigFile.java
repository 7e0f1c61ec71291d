package io.pageferry.agent.cli.call;

import io.pageferry.agent.cli.option.UsageException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options in a file, one a line, by the names of the command line: {@code listen = HOST:PORT}. A
 * line that begins with {@code #} says nothing; an option that may be given several times has
 * several lines.
 */
public final class ConfigFile {
    private static final String CONFIG = "config";

    private ConfigFile() {
    }

    /**
     * Reads a file.
     *
     * @param file    to read
     * @param command whose options may be in it
     * @return the options as arguments, which those of the command line follow
     * @throws UsageException where it is not what it should be
     */
    public static List<String> arguments(Path file, CommandSpec command) {
        List<String> arguments = new ArrayList<>();
        int number = 0;
        for (String line : lines(file)) {
            number++;
            String words = line.strip();
            if (!words.isEmpty() && !words.startsWith("#")) {
                add(arguments, file + ":" + number, words, command);
            }
        }
        return arguments;
    }

    private static void add(List<String> arguments, String where, String line,
            CommandSpec command) {
        int equals = line.indexOf('=');
        String name = (equals < 0 ? line : line.substring(0, equals)).strip();
        String value = equals < 0 ? "true" : line.substring(equals + 1).strip();
        OptionSpec option = command.findOption("--" + name);
        if (option == null || name.equals(CONFIG) || option.usageHelp()) {
            throw refused(where, "'" + name + "' is no option of " + command.name());
        }
        if (option.arity().max() > 0 && equals >= 0) {
            arguments.add(option.longestName() + "=" + value);
        } else if (option.arity().max() > 0 || !value.equals("true") && !value.equals("false")) {
            throw refused(where, name + (option.arity().max() > 0
                    ? " wants a value: write " + name + " = VALUE" : " is true or false"));
        } else if (value.equals("true")) {
            arguments.add(option.longestName());
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            throw refused(file.toString(), "there is no such file");
        } catch (CharacterCodingException e) {
            throw refused(file.toString(), "it is no text in UTF-8");
        } catch (IOException e) {
            throw refused(file.toString(), "it cannot be read (" + e.getMessage() + ")");
        }
    }

    private static UsageException refused(String where, String why) {
        return new UsageException("--config " + where + ": " + why);
    }
}
