package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What moves the guest: this engine, or QEMU itself in one of its ways. */
enum Peer {
    /** A fresh pair of commands. */
    OURS(Map.of()),
    /** Agents that serve, asked by their API. */
    AGENTS(Map.of()),
    /** QEMU as it is without any option. */
    PLAIN(Map.of()),
    /** Pages over two connections. */
    MULTIFD2(Map.of("multifd", true), "multifd-channels", 2),
    /** Pages over four. */
    MULTIFD4(Map.of("multifd", true), "multifd-channels", 4),
    /** Two connections, compressed; not every build of QEMU has it. */
    ZSTD(Map.of("multifd", true), "multifd-channels", 2, "multifd-compression", "zstd"),
    /** Pages sent again go as their difference; excludes multifd. */
    XBZRLE(Map.of("xbzrle", true)),
    /** Takes time from the vCPUs where the guest writes faster than the link carries. */
    AUTO_CONVERGE(Map.of("auto-converge", true));

    /** Bytes per second, QEMU's own default of 128 MiB/s would be measured otherwise. */
    private static final long UNLIMITED = 1L << 40;
    /** The default of our {@code --max-downtime}, and of QEMU too. */
    private static final int DOWNTIME_MILLIS = 300;

    private final Map<String, Boolean> capabilities;
    private final Object[] parameters;

    /**
     * Names what is not as usual.
     *
     * @param capabilities on at both sides
     * @param parameters   names and their values in turn
     */
    Peer(Map<String, Boolean> capabilities, Object... parameters) {
        this.capabilities = capabilities;
        this.parameters = parameters;
    }

    /**
     * Reads the option.
     *
     * @param words names parted by commas, or null for all
     * @return at least one, in the order of this list, each once
     */
    static List<Peer> of(String words) {
        if (words == null) {
            return List.of(values());
        }
        List<String> wanted = List.of(words.split(","));
        for (String word : wanted) {
            if (Arrays.stream(values()).noneMatch(peer -> peer.option().equals(word))) {
                throw new IllegalArgumentException("--peers: '" + word + "' is none of "
                        + Arrays.stream(values()).map(Peer::option)
                                .collect(Collectors.joining(",")));
            }
        }
        return Arrays.stream(values()).filter(peer -> wanted.contains(peer.option())).toList();
    }

    /** {@return the word for {@code --peers}} */
    String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return whether this engine moves the guest, and not QEMU} */
    boolean isOurs() {
        return this == OURS || this == AGENTS;
    }

    /** {@return the words of its rows} */
    String title() {
        return switch (this) {
            case OURS -> "ours";
            case AGENTS -> "ours, by agents that serve";
            case MULTIFD2 -> "QEMU multifd 2";
            case MULTIFD4 -> "QEMU multifd 4";
            case ZSTD -> "QEMU multifd 2, zstd";
            case XBZRLE -> "QEMU XBZRLE";
            case PLAIN, AUTO_CONVERGE -> "QEMU " + option();
        };
    }

    /** {@return the capabilities that are on; all others are off} */
    Map<String, Boolean> capabilities() {
        return capabilities;
    }

    /** {@return arguments of migrate-set-parameters, for both sides} */
    ObjectNode parameters() {
        ObjectNode all = JsonNodeFactory.instance.objectNode()
                .put("max-bandwidth", UNLIMITED).put("downtime-limit", DOWNTIME_MILLIS);
        for (int i = 0; i < parameters.length; i += 2) {
            all.putPOJO((String) parameters[i], parameters[i + 1]);
        }
        return all;
    }
}
