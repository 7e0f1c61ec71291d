package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireTargets.require;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The first bytes of a connection, of which the choice says how many came at once. */
final class PreambleTarget implements FuzzTarget {
    private final Seals seals = new Seals();

    @Override
    public String name() {
        return "preamble";
    }

    @Override
    public List<Class<?>> parserClasses() {
        return List.of(Preamble.class);
    }

    @Override
    public Map<String, byte[]> seeds() {
        return Map.of("ours", Preamble.OURS.encode().array(),
                "later-too", new Preamble(1, 0xffff).encode().array(),
                "later", new Preamble(2, 3).encode().array());
    }

    @Override
    public void seal(byte[] bytes) {
        seals.preamble(bytes);
    }

    @Override
    public boolean take(int choice, byte[] bytes) {
        byte[] whole = Arrays.copyOf(bytes, Preamble.BYTES);
        ByteBuffer buffer = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        boolean begins = begins(buffer, Math.min(choice, Math.min(bytes.length, whole.length)));
        if (bytes.length < whole.length) {
            return false;
        }
        try {
            Preamble got = Preamble.decode(buffer);
            require(begins, "taken, though its beginning was refused");
            require(got.lowest() >= 1 && got.lowest() <= got.highest(), got.toString());
            require(Arrays.equals(got.encode().array(), whole), got + " is written otherwise");
            agree(got);
            return true;
        } catch (WireException e) {
            return false;
        }
    }

    private static boolean begins(ByteBuffer buffer, int arrived) {
        try {
            Preamble.checkMagic(buffer, arrived);
            return true;
        } catch (WireException e) {
            return false;
        }
    }

    private static void agree(Preamble peer) {
        try {
            int version = Preamble.OURS.agree(peer);
            require(version >= peer.lowest() && version <= peer.highest(), "agreed on " + version);
        } catch (WireException e) {
            require(peer.lowest() > Preamble.OURS.highest(), "not agreed with " + peer);
        }
    }
}
