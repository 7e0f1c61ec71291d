package io.pageferry.agent.daemon.api;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is answered to one method of one path.
 *
 * @param method in upper case
 * @param path   as the description has it, with one name in braces at most
 * @param action answers; gets what stands in the place of the name, or an empty text
 */
record Route(String method, String path, Action action) {
    private static final Pattern NAME = Pattern.compile("\\{\\w+\\}");

    /** Answers a call. */
    @FunctionalInterface
    interface Action {
        HttpAnswer answer(HttpCall call, String name);
    }

    /** Returns what stands in the place of the name; empty where the path is another one. */
    Optional<String> match(String called) {
        Matcher name = NAME.matcher(path);
        if (!name.find()) {
            return called.equals(path) ? Optional.of("") : Optional.empty();
        }
        String before = path.substring(0, name.start());
        String behind = path.substring(name.end());
        if (called.length() <= before.length() + behind.length() || !called.startsWith(before)
                || !called.endsWith(behind)) {
            return Optional.empty();
        }
        String value = called.substring(before.length(), called.length() - behind.length());
        return value.contains("/") ? Optional.empty() : Optional.of(value);
    }
}
