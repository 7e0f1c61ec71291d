package io.pageferry.agent.cli.option;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options in a file of JSON, by the names of the command line without their hyphens. */
public final class ConfigFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ConfigFile() {
    }

    /**
     * Reads a file.
     *
     * @param file    one object, as {@code {"listen":"10.0.0.1:4477","max-parallel":4}}; a list
     *                gives an option several times
     * @param command whose options may be given
     * @return the options as arguments, which those of the command line follow
     * @throws UsageException where it is not what it should be
     */
    public static List<String> arguments(Path file, CommandSpec command) {
        ObjectNode options = read(file);
        List<String> arguments = new ArrayList<>();
        options.properties().forEach(field -> {
            OptionSpec option = command.findOption("--" + field.getKey());
            if (option == null || field.getKey().equals("config") || option.usageHelp()) {
                throw refused(file, "'" + field.getKey() + "' is no option of "
                        + command.name());
            }
            (field.getValue().isArray() ? field.getValue() : List.of(field.getValue()))
                    .forEach(value -> add(arguments, file, option, value));
        });
        return arguments;
    }

    private static void add(List<String> arguments, Path file, OptionSpec option, JsonNode value) {
        if (option.arity().max() > 0 && value.isValueNode() && !value.isNull()) {
            arguments.add(option.longestName() + "=" + value.asText());
        } else if (option.arity().max() == 0 && value.isBoolean()) {
            if (value.asBoolean()) {
                arguments.add(option.longestName());
            }
        } else {
            throw refused(file, option.longestName().substring(2) + " wants another value than "
                    + value);
        }
    }

    private static ObjectNode read(Path file) {
        try {
            if (JSON.readTree(Files.readAllBytes(file)) instanceof ObjectNode options) {
                return options;
            }
            throw refused(file, "it is no JSON object");
        } catch (NoSuchFileException e) {
            throw refused(file, "there is no such file");
        } catch (JsonProcessingException e) {
            throw refused(file, "it is no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw refused(file, "it cannot be read (" + e.getMessage() + ")");
        }
    }

    private static UsageException refused(Path file, String why) {
        return new UsageException("--config " + file + ": " + why);
    }
}
