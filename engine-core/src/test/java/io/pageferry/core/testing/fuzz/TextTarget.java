package io.pageferry.core.testing.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A parser of text of which each byte is a character. Bad input is an {@link IOException}.
 *
 * @param name    of the target
 * @param type    class of the parser
 * @param methods names of its methods that parse
 * @param texts   seeds, by name
 * @param check   parses, and throws an {@link AssertionError} for what may not be taken
 */
public record TextTarget(String name, Class<?> type, Set<String> methods,
        Map<String, String> texts, Check check) implements FuzzTarget {
    /** Gives a text to a parser. */
    public interface Check {
        /**
         * Parses a text.
         *
         * @param text whatever
         * @return whether there was something in it
         * @throws IOException where it is bad
         */
        boolean parse(String text) throws IOException;
    }

    @Override
    public List<Class<?>> parserClasses() {
        return Arrays.asList(type);
    }

    @Override
    public boolean parses(String method) {
        return methods.contains(method);
    }

    @Override
    public Map<String, byte[]> seeds() {
        return texts.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey,
                text -> text.getValue().getBytes(StandardCharsets.ISO_8859_1)));
    }

    @Override
    public boolean take(int choice, byte[] bytes) {
        try {
            return check.parse(new String(bytes, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            if (e.getMessage() == null || e.getMessage().isEmpty()) {
                throw new AssertionError("a reason without words", e);
            }
            return false;
        }
    }
}
