package io.pageferry.agent.cli.remote;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes the paths absolute that a command passes on: the agent has another current folder than who
 * typed them.
 */
final class CallersFolder {
    private static final String UNIX = "unix:";
    private static final String EXPORT = "nbd";

    /** Schemes behind which a path stands, or several with commas between them. */
    private static final List<String> PATHS = List.of("qemu", "image", "disk");

    /** Parameters whose values are paths, by scheme. */
    private static final Map<String, String> PARAMETERS = Map.of("disk", "socket", "process",
            "map");

    private CallersFolder() {
    }

    /**
     * Reads a guest as its caller means it.
     *
     * @param guest a URI, or a name of the agent's address book
     * @return the same with absolute paths
     */
    static String guest(String guest) {
        int colon = guest.indexOf(':');
        if (colon < 1) {
            return guest;
        }
        String scheme = guest.substring(0, colon);
        int question = guest.indexOf('?', colon);
        String rest = guest.substring(colon + 1, question < 0 ? guest.length() : question);
        String paths = !PATHS.contains(scheme) ? rest : scheme.equals("disk")
                ? Stream.of(rest.split(",", -1)).map(CallersFolder::disk)
                        .collect(Collectors.joining(",")) : path(rest);
        String parameter = PARAMETERS.getOrDefault(scheme, "") + "=";
        return scheme + ":" + paths + (question < 0 ? "" : "?" + Stream.of(
                guest.substring(question + 1).split("&", -1)).map(pair ->
                        parameter.length() > 1 && pair.startsWith(parameter)
                                ? parameter + path(pair.substring(parameter.length())) : pair)
                .collect(Collectors.joining("&")));
    }

    /**
     * Reads an address as its caller means it.
     *
     * @param address HOST:PORT or unix:PATH
     * @return the same with an absolute path
     */
    static String address(String address) {
        return address.startsWith(UNIX) ? UNIX + path(address.substring(UNIX.length())) : address;
    }

    private static String disk(String one) {
        return one.startsWith(EXPORT) ? one : path(one);
    }

    /** An empty one is refused by who reads it. */
    private static String path(String path) {
        return path.isEmpty() ? path : Path.of(path).toAbsolutePath().toString();
    }
}
