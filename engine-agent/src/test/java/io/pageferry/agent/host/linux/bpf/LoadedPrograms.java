package io.pageferry.agent.host.linux.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;

/** What of ours is in the kernel, whoever loaded it. */
final class LoadedPrograms {
    private static final int PROG_GET_NEXT_ID = 11;
    private static final int PROG_GET_FD_BY_ID = 13;
    private static final int NAME = 64;
    private static final int INFO_BYTES = 256;

    private LoadedPrograms() {
    }

    /** {@return the numbers of the programs that mark} */
    static Set<Integer> ids() throws IOException {
        Set<Integer> found = new TreeSet<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            while (Bpf.call(PROG_GET_NEXT_ID, attributes) == 0) {
                int id = Bpf.at(attributes, 4);
                if (isOurs(id)) {
                    found.add(id);
                }
                attributes.fill((byte) 0);
                attributes.set(JAVA_INT, 0, id);
            }
        }
        return found;
    }

    private static boolean isOurs(int id) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, id);
            int fd = Bpf.call(PROG_GET_FD_BY_ID, attributes);
            if (fd < 0) {
                return false; // gone meanwhile
            }
            try {
                MemorySegment info = arena.allocate(INFO_BYTES, Long.BYTES);
                attributes.fill((byte) 0);
                attributes.set(JAVA_INT, 0, fd);
                attributes.set(JAVA_INT, 4, INFO_BYTES);
                attributes.set(JAVA_LONG, 8, info.address());
                Bpf.check(Bpf.OBJ_GET_INFO_BY_FD, attributes, "a program");
                return info.getString(NAME).equals("pageferry_marks");
            } finally {
                Native.close(fd);
            }
        }
    }
}
