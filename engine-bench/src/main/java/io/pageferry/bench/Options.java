package io.pageferry.bench;

import io.pageferry.core.words.Quantity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the options of one benchmark. Each method throws {@link IllegalArgumentException} with the
 * option's name where its value makes no sense.
 *
 * @param given names without dashes, and their values
 */
public record Options(Map<String, String> given) {
    /**
     * Refuses an option that the benchmark does not name.
     *
     * @param about the benchmark's line, which names each of its options as {@code [--name …]}
     * @param more  further names
     */
    void refuseUnknown(String about, Set<String> more) {
        for (String name : given.keySet()) {
            if (!about.contains("[--" + name + " ") && !more.contains(name)) {
                throw new IllegalArgumentException("--" + name + ": no such option; it has "
                        + about);
            }
        }
    }

    /**
     * Returns the text of an option.
     *
     * @param name     of the option
     * @param fallback where it was not given
     * @return its value
     */
    public String text(String name, String fallback) {
        return given.getOrDefault(name, fallback);
    }

    /**
     * Reads a list whose words are separated by commas.
     *
     * @param name     of the option
     * @param fallback where it was not given
     * @return at least one word
     */
    public List<String> list(String name, String fallback) {
        return List.of(text(name, fallback).split(","));
    }

    /**
     * Reads a size of memory.
     *
     * @param name     of the option
     * @param fallback where it was not given
     * @return bytes, 1 or more
     */
    public long bytes(String name, String fallback) {
        long bytes = Quantity.bytes(text(name, fallback));
        if (bytes < 1) {
            throw new IllegalArgumentException("--" + name + " must be 1 byte or more");
        }
        return bytes;
    }

    /**
     * Reads a number of runs or the like.
     *
     * @param name     of the option
     * @param fallback where it was not given
     * @param least    the least that makes sense
     * @return whole number
     */
    public int count(String name, int fallback, int least) {
        String text = text(name, Integer.toString(fallback));
        try {
            int count = Integer.parseInt(text);
            if (count >= least) {
                return count;
            }
        } catch (NumberFormatException e) {
            // Said below, with the option's name.
        }
        throw new IllegalArgumentException("--" + name + " " + text + ": a whole number of "
                + least + " or more is needed");
    }

    /**
     * Writes them as a command line has them.
     *
     * @param without names to leave out
     * @return words
     */
    List<String> words(Set<String> without) {
        List<String> words = new ArrayList<>();
        given.forEach((name, value) -> {
            if (!without.contains(name)) {
                words.addAll(List.of("--" + name, value));
            }
        });
        return words;
    }
}
