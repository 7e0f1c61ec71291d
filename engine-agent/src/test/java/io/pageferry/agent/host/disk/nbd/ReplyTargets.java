package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.nbd.NbdRequest.Command;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** What an NBD server answers to four requests, before it closes the connection. */
public final class ReplyTargets implements FuzzTargets {
    private static final int READ = 64;
    private static final int STATUS = 1 << 20;
    private static final int CONTEXT = 7;
    private static final int SIMPLE = 0x67446698;
    private static final int STRUCTURED = 0x668e33ef;

    @Override
    public List<FuzzTarget> all() {
        return List.of(new Replies("nbd-structured", true), new Replies("nbd-simple", false));
    }

    private static final class Replies implements FuzzTarget {
        private final String name;
        private final boolean structured;
        /** Requests that were answered. */
        private int taken;
        /** What is read lies in the middle: around it nothing may be written. */
        private final MemorySegment memory = Arena.ofAuto().allocate(3 * READ);

        private final NbdReplies replies;
        private ByteBuffer stream;

        Replies(String name, boolean structured) {
            this.name = name;
            this.structured = structured;
            this.replies = new NbdReplies(this::fill, new NbdExport(STATUS, 0, 1, STATUS,
                    structured, structured ? OptionalInt.of(CONTEXT) : OptionalInt.empty()));
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String parser() {
            return "nbd-replies";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(NbdReplies.class, NbdRequest.class);
        }

        @Override
        public boolean parses(String method) {
            return Set.of("next", "read", "asked", "simple", "end", "chunk", "take", "status",
                    "put", "clear", "add", "tell", "isWhole", "fail").contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            return structured ? Map.of("all", structured(), "errors", errors())
                    : Map.of("all", simple());
        }

        private static ByteBuffer simple(ByteBuffer into, int error, long cookie) {
            return into.putInt(SIMPLE).putInt(error).putLong(cookie);
        }

        private static byte[] simple() {
            ByteBuffer all = ByteBuffer.allocate(4 * 16 + READ);
            simple(simple(all, 0, 3), 0, 1).put(new byte[READ]);
            return simple(simple(all, 28, 4), 22, 2).array();
        }

        private static ByteBuffer chunk(ByteBuffer into, int flagsAndType, long cookie,
                int bytes) {
            return into.putInt(STRUCTURED).putInt(flagsAndType).putLong(cookie).putInt(bytes);
        }

        private static byte[] structured() {
            ByteBuffer all = ByteBuffer.allocate(5 * 20 + 16 + 8 + READ / 2 + 12 + 4 + 3 * 8);
            chunk(all, 1, 1, 8 + READ / 2).putLong(READ / 2).put(new byte[READ / 2]);
            chunk(all, 5, 2, 4 + 3 * 8).putInt(CONTEXT).putInt(4096).putInt(0).putInt(STATUS)
                    .putInt(3).putInt(1).putInt(0);
            chunk(all, 1 << 16, 2, 0);
            chunk(all, 1 << 16 | 2, 1, 12).putLong(0).putInt(READ / 2);
            chunk(all, 1 << 16, 3, 0);
            return simple(all, 0, 4).array();
        }

        private static byte[] errors() {
            ByteBuffer all = ByteBuffer.allocate(2 * 20 + 2 * 6 + 16);
            chunk(all, 1 << 16 | 1 << 15 | 1, 1, 6).putInt(5).putShort((short) 0);
            chunk(all, 1 << 16 | 1 << 15 | 1, 2, 6).putInt(22).putShort((short) 0);
            return simple(all, 28, 3).array();
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            byte[] first = answered(bytes, (byte) 1);
            require(first == null || Arrays.equals(first, answered(bytes, (byte) 2)),
                    "a read that is not whole");
            return taken > 0;
        }

        /** Gives the replies to a reader; returns what was read, null where nothing was. */
        private byte[] answered(byte[] input, byte before) throws Exception {
            memory.fill(before);
            MemorySegment read = memory.asSlice(READ, READ);
            long[] told = {0};
            Map<Long, NbdRequest> asked = Map.of(1L, NbdRequest.read(0, read),
                    2L, NbdRequest.status(0, STATUS, (length, zeros) -> told[0] += length),
                    3L, new NbdRequest(Command.WRITE, 0, READ),
                    4L, new NbdRequest(Command.FLUSH, 0, 0));
            stream = ByteBuffer.wrap(input);
            replies.pending().clear();
            replies.pending().putAll(asked);
            try {
                while (true) {
                    replies.next();
                }
            } catch (IOException e) {
                require(e.getMessage() != null && !e.getMessage().isEmpty(), "no words");
            }
            for (int i = 0; i < READ; i++) {
                require(memory.get(ValueLayout.JAVA_BYTE, i) == before
                        && memory.get(ValueLayout.JAVA_BYTE, 2 * READ + i)
                        == before, "written beside what was asked for");
            }
            require(told[0] <= STATUS, "told of " + told[0] + " bytes");
            taken = (int) asked.values().stream().filter(one -> one.answered().isDone()).count();
            NbdRequest first = asked.get(1L);
            return first.answered().isDone() && first.error() == 0
                    ? read.toArray(ValueLayout.JAVA_BYTE) : null;
        }

        private void fill(ByteBuffer into) throws IOException {
            if (stream.remaining() < into.remaining()) {
                throw new EOFException("it closed the connection");
            }
            into.put(stream.slice().limit(into.remaining()));
            stream.position(stream.position() + into.position());
            into.flip();
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
