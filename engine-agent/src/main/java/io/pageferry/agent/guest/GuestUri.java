package io.pageferry.agent.guest;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A guest as the command line names it: {@code scheme:rest?key=value&key=value}.
 *
 * @param text       the whole as it was given
 * @param scheme     the kind
 * @param rest       what stands between scheme and question mark
 * @param parameters behind the question mark, in order
 */
public record GuestUri(String text, String scheme, String rest, Map<String, String> parameters) {
    /**
     * Parses a guest.
     *
     * @param text as given
     * @return its parts
     * @throws IllegalArgumentException when it is no guest; the message names what is wrong
     */
    public static GuestUri parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("'" + text + "' names no guest: give its kind, as in"
                    + " workload:1GiB or qemu:/path/to/qmp.sock");
        }
        int question = text.indexOf('?', colon);
        String rest = text.substring(colon + 1, question < 0 ? text.length() : question);
        Map<String, String> parameters = new LinkedHashMap<>();
        if (question >= 0) {
            for (String pair : text.substring(question + 1).split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals < 1) {
                    throw new IllegalArgumentException(
                            "'" + pair + "' in '" + text + "' is no key=value");
                }
                parameters.put(pair.substring(0, equals), pair.substring(equals + 1));
            }
        }
        return new GuestUri(text, text.substring(0, colon), rest, Map.copyOf(parameters));
    }

    /**
     * Adds a parameter.
     *
     * @param key   its name
     * @param value of it
     * @return the guest, with the text as it was
     */
    public GuestUri with(String key, String value) {
        Map<String, String> more = new LinkedHashMap<>(parameters);
        more.put(key, value);
        return new GuestUri(text, scheme, rest, Map.copyOf(more));
    }
}
