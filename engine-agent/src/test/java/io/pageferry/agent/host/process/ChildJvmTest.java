package io.pageferry.agent.host.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChildJvmTest {
    @Test
    void aChildBeginsWithTheCacheOfItsParentAndHandsItOn() {
        List<String> command = ChildJvm.command("/a folder/pageferry.aot", "",
                List.of("-Xmx48m"), List.of("guard"));
        assertTrue(command.containsAll(List.of("-XX:AOTCache=/a folder/pageferry.aot",
                "-Dpageferry.cache=/a folder/pageferry.aot", "-Xmx48m")), command.toString());
        assertEquals("guard", command.getLast());
    }

    @Test
    void withoutOneThereIsNoOptionForIt() {
        assertTrue(ChildJvm.command(null, "", List.of(), List.of("guard")).stream()
                .noneMatch(word -> word.contains("cache") || word.contains("AOTCache")));
    }

    @Test
    void itIsQuickUnlessItsUserWantsAnotherCompilerOrCollector() {
        List<String> usual = ChildJvm.command(null, "-Xmx1g", List.of(), List.of("guard"));
        assertTrue(usual.containsAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")),
                usual.toString());
        List<String> other = ChildJvm.command(null, "-XX:+UseG1GC  -XX:TieredStopAtLevel=4",
                List.of(), List.of("guard"));
        // Two collectors are an error to the JVM; of two levels the last one counts.
        assertFalse(other.contains("-XX:+UseSerialGC"), other.toString());
        assertTrue(other.indexOf("-XX:TieredStopAtLevel=4")
                > other.indexOf("-XX:TieredStopAtLevel=1"), other.toString());
    }
}
