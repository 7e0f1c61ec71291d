package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.linux.Requirements;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** An NBD server that takes one client and says what a test has it say. */
final class FakeNbd implements AutoCloseable {
    static final int READ = 0;
    static final int WRITE = 1;
    static final int ZERO = 6;
    static final int STATUS = 7;
    static final int HAS_ALL = 1 | 1 << 2 | 1 << 6;
    static final int CONTEXT = 7;

    private static final long OPTION_REPLY = 0x0003e889045565a9L;
    private static final int ACK = 1;

    private final Path socket;
    private final ServerSocketChannel server;
    private final Thread thread;

    /** What it says of itself. */
    record Export(long size, int flags, int minBlock, int maxBlock, boolean structured) {
        static Export of(long size) {
            return new Export(size, HAS_ALL, 1, 32 << 20, true);
        }
    }

    /** A request of its client. */
    record Asked(int type, long cookie, long offset, int length) { }

    /** What it does about a request. */
    interface Answer {
        void to(Asked asked, DataOutputStream out) throws IOException;
    }

    FakeNbd(Path folder, Export export, Answer answer) throws IOException {
        this(folder, (in, out) -> {
            greet(in, out, export);
            while (true) {
                in.readInt();
                in.readShort();
                Asked asked = new Asked(in.readShort(), in.readLong(), in.readLong(),
                        in.readInt());
                if (asked.type() == 1) {
                    in.skipNBytes(asked.length());
                }
                answer.to(asked, out);
                out.flush();
            }
        });
    }

    /** A whole conversation. */
    interface Talk {
        void with(DataInputStream in, DataOutputStream out) throws IOException;
    }

    FakeNbd(Path folder, Talk talk) throws IOException {
        socket = folder.resolve("nbd");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        thread = Thread.ofPlatform().daemon().start(() -> {
            try (SocketChannel client = server.accept()) {
                talk.with(new DataInputStream(Channels.newInputStream(client)),
                        new DataOutputStream(Channels.newOutputStream(client)));
            } catch (IOException e) {
                // It left.
                return;
            }
        });
    }

    NbdAddress address() {
        return new NbdAddress("x", socket);
    }

    private static void greet(DataInputStream in, DataOutputStream out, Export export)
            throws IOException {
        out.writeBytes("NBDMAGICIHAVEOPT");
        out.writeShort(3);
        in.readInt();
        for (int option = 0; option != 7;) {
            in.readLong();
            option = in.readInt();
            in.skipNBytes(in.readInt());
            if (option == 10) {
                reply(out, option, 4, 4 + 15);
                out.writeInt(CONTEXT);
                out.writeBytes("base:allocation");
            } else if (option == 7) {
                reply(out, option, 3, 12);
                out.writeShort(0);
                out.writeLong(export.size());
                out.writeShort(export.flags());
                reply(out, option, 3, 14);
                out.writeShort(3);
                out.writeInt(export.minBlock());
                out.writeInt(export.minBlock());
                out.writeInt(export.maxBlock());
            }
            reply(out, option, option == 8 && !export.structured() ? 1 << 31 | 1 : ACK, 0);
        }
    }

    static void reply(DataOutputStream out, int option, int type, int length)
            throws IOException {
        out.writeLong(OPTION_REPLY);
        out.writeInt(option);
        out.writeInt(type);
        out.writeInt(length);
    }

    static void chunk(DataOutputStream out, Asked asked, boolean last, int type, int length)
            throws IOException {
        out.writeInt(0x668e33ef);
        out.writeShort(last ? 1 : 0);
        out.writeShort(type);
        out.writeLong(asked.cookie());
        out.writeInt(length);
    }

    /** All of it is data. */
    static void status(DataOutputStream out, Asked asked) throws IOException {
        chunk(out, asked, true, 5, 12);
        out.writeInt(CONTEXT);
        out.writeInt(asked.length());
        out.writeInt(0);
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(socket);
        try {
            thread.join(Requirements.HANG);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
