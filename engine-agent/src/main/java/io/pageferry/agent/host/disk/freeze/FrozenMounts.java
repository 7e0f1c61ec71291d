package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.DeviceNumber;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What one process freezes, so that another one can thaw it: see {@link Thawer}. As a text it has
 * one line without tabs.
 *
 * @param mounts in the order of freezing
 * @param limit  how long they may stay frozen
 */
public record FrozenMounts(List<Place> mounts, Duration limit) {
    private static final String BETWEEN = " ";
    private static final int FIELDS = 3;
    private static final Path ROOT = Path.of("/");

    /**
     * One file system.
     *
     * @param mountId number of a mount of it, as mountinfo has it
     * @param device  of the file system
     * @param point   where it is mounted
     */
    public record Place(int mountId, DeviceNumber device, Path point) { }

    /** Keeps the list as it is now. */
    public FrozenMounts {
        mounts = List.copyOf(mounts);
    }

    /** {@return whether the root of this host is among them} */
    public boolean hasRoot() {
        return mounts.stream().anyMatch(place -> place.point().equals(ROOT));
    }

    /** {@return it as text} */
    public String text() {
        return limit.toMillis() + mounts.stream()
                .map(place -> BETWEEN + place.mountId() + BETWEEN + place.device() + BETWEEN
                        + URLEncoder.encode(place.point().toString(), StandardCharsets.UTF_8))
                .collect(Collectors.joining());
    }

    /**
     * Reads what {@link #text} wrote.
     *
     * @param text one line
     * @return what it says
     * @throws IllegalArgumentException when it has another form
     */
    public static FrozenMounts parse(String text) {
        List<String> words = Arrays.asList(text.split(BETWEEN, -1));
        if (words.size() % FIELDS != 1) {
            throw new IllegalArgumentException("no frozen mounts: " + text);
        }
        List<Place> places = new ArrayList<>();
        for (int i = 1; i < words.size(); i += FIELDS) {
            places.add(new Place(Integer.parseInt(words.get(i)),
                    DeviceNumber.parse(words.get(i + 1)),
                    Path.of(URLDecoder.decode(words.get(i + 2), StandardCharsets.UTF_8))));
        }
        return new FrozenMounts(places, Duration.ofMillis(Long.parseLong(words.getFirst())));
    }
}
