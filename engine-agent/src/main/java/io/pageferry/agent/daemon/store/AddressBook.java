package io.pageferry.agent.daemon.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The operator's names for guests of this host, from a local file that is read at each use:
 * {@code {"guests":[{"name":"web","uri":"qemu:/run/web.qmp","labels":{"team":"a"}}]}}. For any
 * thread.
 *
 * @param file of JSON; where there is none, the book is empty
 */
public record AddressBook(Path file) {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * One guest.
     *
     * @param name   by which callers know it
     * @param uri    of the guest on this host
     * @param labels whatever the operator wants to say of it
     */
    public record Entry(String name, String uri, Map<String, String> labels) {
        /** Checks that it has a name and a URI. */
        public Entry {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(uri, "uri");
            labels = labels == null ? Map.of() : Map.copyOf(labels);
        }
    }

    private record Contents(List<Entry> guests) { }

    /**
     * Reads the book.
     *
     * @return all entries, in their order
     * @throws IOException with one line, where it cannot be read or other users may write to it
     */
    public List<Entry> all() throws IOException {
        try {
            byte[] bytes = Files.readAllBytes(file);
            if (PrivateFiles.othersMayWrite(file)) {
                throw new IOException(file + " can be written to by other users, who could name"
                        + " any file or socket in it: chmod go-w " + file);
            }
            Contents contents = JSON.readValue(bytes, Contents.class);
            return contents == null || contents.guests() == null ? List.of() : contents.guests();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (JsonProcessingException e) {
            throw new IOException("the address book " + file + " is not what it should be: "
                    + e.getOriginalMessage(), e);
        }
    }

    /**
     * Finds a guest.
     *
     * @param name of the guest
     * @return its entry, or empty
     * @throws IOException as {@link #all}
     */
    public Optional<Entry> find(String name) throws IOException {
        return all().stream().filter(entry -> entry.name().equals(name)).findFirst();
    }
}
