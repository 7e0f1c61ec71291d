package io.pageferry.agent.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChildJvmTest {
    private static final String CACHE = "pageferry.cache";

    @Test
    void aChildBeginsWithTheCacheOfItsParentAndHandsItOn() {
        String before = System.getProperty(CACHE);
        System.setProperty(CACHE, "/a folder/pageferry.aot");
        try {
            List<String> command = ChildJvm.command(List.of("-Xmx48m"), List.of("guard"));
            assertTrue(command.containsAll(List.of("-XX:AOTCache=/a folder/pageferry.aot",
                    "-Dpageferry.cache=/a folder/pageferry.aot", "-Xmx48m")), command.toString());
            assertEquals("guard", command.getLast());
        } finally {
            if (before == null) {
                System.clearProperty(CACHE);
            } else {
                System.setProperty(CACHE, before);
            }
        }
    }

    @Test
    void withoutOneThereIsNoOptionForIt() {
        if (System.getProperty(CACHE) == null) {
            assertTrue(ChildJvm.command(List.of(), List.of("guard")).stream()
                    .noneMatch(word -> word.contains("AOTCache")));
        }
    }
}
