package io.pageferry.agent.guest.qemu.memory;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.host.linux.ProcessMaps.FileId;
import io.pageferry.agent.host.linux.ProcessMaps.Mapping;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The kernel splits a mapping where a piece of it was treated differently (madvise, mlock). */
class MemoryPartTest {
    private static final long SIZE = 4 << 20;
    private static final long START = 1L << 32;
    private static final FileId FILE = new FileId(1, 2);
    private static final FileId NONE = new FileId(0, 0);

    private static Mapping mapping(long from, long to, long offset, FileId file) {
        return new Mapping(START + from, START + to, file == NONE ? "rw-p" : "rw-s", offset, file,
                "");
    }

    private static MemoryPart part(FileId file) {
        return new MemoryPart(new QemuFacts.Backend("ram", "", SIZE, file != NONE, "", 4096),
                mapping(0, SIZE, 0, file), 0, 0, Optional.empty());
    }

    @Test
    void piecesSideBySideAreTheMemory() {
        assertTrue(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE),
                mapping(4096, 8192, 4096, FILE), mapping(8192, SIZE, 8192, FILE))));
        // Memory without a file has no offsets.
        assertTrue(part(NONE).isCoveredBy(List.of(mapping(0, 4096, 0, NONE),
                mapping(4096, SIZE, 0, NONE))));
    }

    @Test
    void aPieceThatIsMissingIsNoticed() {
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE),
                mapping(8192, SIZE, 8192, FILE))));
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE))));
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(4096, SIZE, 4096, FILE))));
    }

    @Test
    void aPieceOfSomethingElseIsNoticed() {
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE),
                mapping(4096, SIZE, 0, FILE))), "another part of the file");
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE),
                mapping(4096, SIZE, 4096, new FileId(1, 3)))), "another file");
        assertFalse(part(FILE).isCoveredBy(List.of(mapping(0, 4096, 0, FILE),
                mapping(4096, SIZE, 4096, NONE))), "memory of its own");
    }
}
