package io.pageferry.agent.guest;

import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Finds kinds of guests. */
public final class GuestKinds {
    private GuestKinds() {
    }

    /**
     * Finds the kind of a guest.
     *
     * @param uri the guest
     * @return its kind
     * @throws IllegalArgumentException when no kind has that scheme; the message lists those there
     */
    public static GuestKind of(GuestUri uri) {
        return find(uri.scheme()).orElseThrow(() -> new IllegalArgumentException("no kind of guest"
                + " is called '" + uri.scheme() + "'; there are " + schemes()));
    }

    /**
     * Finds a kind.
     *
     * @param scheme its name
     * @return the kind, or empty
     */
    public static Optional<GuestKind> find(String scheme) {
        return ServiceLoader.load(GuestKind.class).stream().map(ServiceLoader.Provider::get)
                .filter(kind -> kind.scheme().equals(scheme)).findFirst();
    }

    /** {@return the folders that kinds keep journals in, where no other is named} */
    public static Stream<Path> stateDirectories() {
        return ServiceLoader.load(GuestKind.class).stream()
                .flatMap(kind -> kind.get().stateDirectory().stream()).distinct();
    }

    private static String schemes() {
        TreeSet<String> names = new TreeSet<>();
        ServiceLoader.load(GuestKind.class).forEach(kind -> names.add(kind.scheme()));
        return String.join(", ", names);
    }
}
