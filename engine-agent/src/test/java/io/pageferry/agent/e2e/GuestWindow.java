package io.pageferry.agent.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The memory of an embedded guest, seen from outside its agent. The open descriptor keeps it: it
 * can still be read after the agent ended, and then holds what the guest wrote last.
 */
final class GuestWindow implements AutoCloseable {
    private static final String NAME = "/memfd:pageferry-workload";

    private final FileChannel memory;

    private GuestWindow(FileChannel memory) {
        this.memory = memory;
    }

    /**
     * Waits for the guest to be made.
     *
     * @param agent its agent
     * @param size  of its memory, by which it is told from the guest of the warm-up
     */
    static GuestWindow of(Agent agent, long size) throws IOException {
        FileChannel[] found = new FileChannel[1];
        Poll.until(() -> {
            found[0] = find(agent.pid(), size);
            return found[0] != null;
        }, () -> "no guest of " + size + " bytes in " + agent);
        return new GuestWindow(found[0]);
    }

    private static FileChannel find(long pid, long size) throws IOException {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(
                Path.of("/proc", Long.toString(pid), "fd"))) {
            for (Path one : open) {
                FileChannel channel = openIfGuest(one, size);
                if (channel != null) {
                    return channel;
                }
            }
        }
        return null;
    }

    private static FileChannel openIfGuest(Path descriptor, long size) throws IOException {
        try {
            if (!Files.readSymbolicLink(descriptor).toString().startsWith(NAME)) {
                return null;
            }
            FileChannel channel = FileChannel.open(descriptor, StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            if (channel.size() == size) {
                return channel;
            }
            channel.close();
        } catch (NoSuchFileException e) {
            return null;
        }
        return null;
    }

    /** {@return the guest's tick, the first word of its memory} */
    long tick() throws IOException {
        ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
        while (word.hasRemaining() && memory.read(word, word.position()) >= 0) {
            continue;
        }
        return word.getLong(0);
    }

    /** Writes a byte that no tracker sees which the guest itself has to tell. */
    void write(long at, byte what) throws IOException {
        memory.write(ByteBuffer.wrap(new byte[] {what}), at);
    }

    /** Waits until the guest is seen to live on. */
    void ticksOn() throws IOException {
        long goal = tick() + 25;
        Poll.until(() -> tick() >= goal, () -> "it ticks no more");
    }

    /** {@return the first byte at which a file differs, -1 where it is equal, the length too} */
    long mismatch(Path file) throws IOException {
        try (FileChannel other = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer ours = ByteBuffer.allocate(1 << 20);
            ByteBuffer theirs = ByteBuffer.allocate(1 << 20);
            for (long at = 0; at < memory.size(); at += ours.capacity()) {
                fill(memory, ours.clear(), at);
                fill(other, theirs.clear(), at);
                int differs = ours.flip().mismatch(theirs.flip());
                if (differs >= 0) {
                    return at + differs;
                }
            }
            return memory.size() == other.size() ? -1 : Math.min(memory.size(), other.size());
        }
    }

    private static void fill(FileChannel channel, ByteBuffer into, long at) throws IOException {
        while (into.hasRemaining() && channel.read(into, at + into.position()) >= 0) {
            continue;
        }
    }

    @Override
    public void close() throws IOException {
        memory.close();
    }
}
