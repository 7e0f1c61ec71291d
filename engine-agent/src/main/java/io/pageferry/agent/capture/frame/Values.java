package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** The fields of one message, by their names in PROTOCOL.md. */
public final class Values {
    private final Map<String, Object> fields = new HashMap<>();

    Values() {
    }

    void put(String name, Object value) {
        fields.put(name, value);
    }

    /**
     * Gives a number.
     *
     * @param name of the field
     * @return its value
     */
    public long num(String name) {
        return (Long) fields.get(name);
    }

    /**
     * Gives a number that is small.
     *
     * @param name of the field
     * @return its value
     */
    public int small(String name) {
        return Math.toIntExact(num(name));
    }

    /**
     * Gives a name.
     *
     * @param name of the field
     * @return its value
     */
    public UUID uuid(String name) {
        return (UUID) fields.get(name);
    }

    /**
     * Gives numbers.
     *
     * @param name of the field
     * @return its values
     */
    public long[] list(String name) {
        return (long[]) fields.get(name);
    }

    /**
     * Gives bytes.
     *
     * @param name of the field
     * @return from position 0 to limit; gone with the frame
     */
    public ByteBuffer bytes(String name) {
        return (ByteBuffer) fields.get(name);
    }

    @Override
    public String toString() {
        return fields.toString();
    }
}
