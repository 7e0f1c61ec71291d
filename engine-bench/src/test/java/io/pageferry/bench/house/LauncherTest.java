package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.bench.house.FakeMachine.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {

    @TempDir
    Path folder;

    private FakeMachine machine;

    @BeforeEach
    void aMachineWithAnOldJavaAndANewOneElsewhere() throws IOException {
        machine = new FakeMachine(folder);
        machine.jdk("usual folder/jdk 25", 25);
    }

    @Test
    void findsAJdkInAUsualFolderBehindAnOldJavaOnThePath() throws Exception {
        machine.jdk("usual folder/another", 26);
        Run run = machine.run("status");
        assertEquals("jdk jdk 25", run.out().getFirst(), "25 is preferred to 26");
        assertEquals("", run.err());
        assertEquals(0, run.exit());
    }

    @Test
    void takesANewerJdkWhereThereIsNo25() throws Exception {
        machine.set("PAGEFERRY_JDK_FOLDERS", folder.resolve("newer"));
        machine.jdk("newer/jdk-27", 27);
        assertEquals("jdk jdk-27", machine.run().out().getFirst());
    }

    @Test
    void prefersWhatItIsTold() throws Exception {
        machine.set("JAVA_HOME", machine.jdk("second", 26));
        assertEquals("jdk second", machine.run().out().getFirst());
        machine.set("PAGEFERRY_JAVA_HOME", machine.jdk("first", 25));
        assertEquals("jdk first", machine.run().out().getFirst());
    }

    @Test
    void looksElsewhereWhereItIsToldAnOldOneAndSaysSo() throws Exception {
        machine.set("JAVA_HOME", folder.resolve("old"));
        machine.set("PAGEFERRY_JAVA_HOME", folder.resolve("old"));
        Run run = machine.run();
        assertEquals("jdk jdk 25", run.out().getFirst());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("PAGEFERRY_JAVA_HOME"), run.err());
    }

    @Test
    void saysInOneLineThatThereIsNoJdk() throws Exception {
        machine.set("PAGEFERRY_JDK_FOLDERS", folder.resolve("none"));
        Run run = machine.run("demo", "--json");
        assertEquals(3, run.exit());
        assertEquals(List.of(), run.out());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains("no JDK 25 or newer found"), run.err());
    }

    @Test
    void saysThatMavenIsMissing() throws Exception {
        Path bin = Files.createDirectories(folder.resolve("no maven"));
        for (String tool : List.of("sh", "sed", "dirname", "readlink", "sort", "tr", "cat",
                "mkdir", "head", "find", "flock")) {
            FakeMachine.script(bin.resolve(tool), "#!/bin/sh\nexec /usr/bin/" + tool + " \"$@\"\n");
        }
        machine.set("PATH", bin);
        Run run = machine.run();
        assertEquals(3, run.exit());
        assertTrue(run.err().contains("Maven is needed"), run.err());
    }

    @Test
    void passesArgumentsOptionsAndTheExitCode() throws Exception {
        machine.set("PAGEFERRY_OPTS", "-Xmx128m  -Dstar=*");
        machine.set("FAKE_EXIT", 7);
        Run run = machine.run("migrate", "two words", "", "$HOME *");
        assertEquals(7, run.exit());
        List<String> args = run.out().stream().filter(line -> line.startsWith("arg ")).toList();
        int main = args.indexOf("arg <io.pageferry.agent.cli.Main>");
        assertEquals(List.of("arg <migrate>", "arg <two words>", "arg <>", "arg <$HOME *>"),
                args.subList(main + 1, args.size()));
        assertTrue(args.containsAll(List.of("arg <-Xmx128m>", "arg <-Dstar=*>",
                "arg <-Dpageferry.launcher=" + machine.checkout.resolve("pageferry") + ">")));
    }

    /** What a JVM begins with by itself is an eighth of a service's memory at rest, and more. */
    @Test
    void theHeapOfAServiceBeginsSmall() throws Exception {
        for (String service : List.of("agent", "guard-service")) {
            assertTrue(machine.run(service).out().contains("arg <-Xms16m>"), service);
        }
        assertFalse(machine.run("migrate").out().contains("arg <-Xms16m>"));
    }

    /** In ASCII the JVM would refuse them: "unmappable characters". */
    @Test
    void namesMayHaveAnyLetterWhateverTheLocale() throws Exception {
        for (String locale : List.of("C", "POSIX", "de_DE.UTF-8 that is not installed", "")) {
            machine.set("LC_ALL", locale);
            assertTrue(machine.run().out().contains("charmap UTF-8"), locale);
        }
        machine.unset("LC_ALL");
        assertTrue(machine.run().out().contains("charmap UTF-8"), "no locale at all");
    }

    @Test
    void worksThroughSymlinksAndTellsItsRealPath() throws Exception {
        Path bin = Files.createDirectories(folder.resolve("links"));
        Path link = Files.createSymbolicLink(bin.resolve("near"),
                Path.of("../a checkout/pageferry"));
        Path far = Files.createSymbolicLink(folder.resolve("far"), link);
        assertTrue(machine.run(far).out().contains("arg <-Dpageferry.launcher="
                + machine.checkout.toRealPath().resolve("pageferry") + ">"));
    }

    @Test
    void becomesTheJavaProcess() throws Exception {
        Process process = machine.start(machine.checkout.resolve("pageferry"));
        assertTrue(machine.end(process).out().contains("pid " + process.pid()));
    }

    @Test
    void buildsOnceForTwoFirstUses() throws Exception {
        Process one = machine.start(machine.checkout.resolve("pageferry"));
        Process two = machine.start(machine.checkout.resolve("pageferry"));
        assertEquals(0, machine.end(one).exit());
        assertEquals(0, machine.end(two).exit());
        assertEquals(1, machine.builds().size(), machine.builds().toString());
        assertTrue(machine.builds().getFirst().startsWith("with jdk 25:"), "any JDK will do");
    }

    @Test
    void buildsAgainWhenASourceChangedOrWentAway() throws Exception {
        machine.run();
        machine.run();
        assertEquals(1, machine.builds().size());
        FakeMachine.touch(machine.source("core"));
        machine.run();
        assertEquals(2, machine.builds().size());
        Files.delete(machine.source("transport"));
        machine.run();
        assertEquals(3, machine.builds().size());
    }

    @Test
    void takesTheBuildThatMavenMade() throws Exception {
        machine.run();
        Path state = machine.checkout.resolve("target/launcher");
        Files.delete(state.resolve("engine-agent.ready"));
        machine.run();
        assertEquals(1, machine.builds().size());
    }

    @Test
    void showsABrokenBuild() throws Exception {
        machine.set("FAKE_BROKEN", 1);
        Run run = machine.run();
        assertEquals(3, run.exit());
        assertEquals(List.of(), run.out());
        assertTrue(run.err().contains("A.java:3: broken"), run.err());
        machine.unset("FAKE_BROKEN");
        assertEquals(0, machine.run().exit(), "a broken build leaves nothing behind");
    }

    @Test
    void aRunningProcessKeepsItsJars() throws Exception {
        Path end = folder.resolve("end");
        machine.set("WAIT_FOR", end);
        Process running = machine.start(machine.checkout.resolve("pageferry"));
        Path jar = null;
        for (String line = ""; line != null && jar == null;
                line = running.inputReader().readLine()) {
            jar = line.contains("a.jar:") ? Path.of(line.substring(5, line.indexOf(':'))) : null;
        }
        machine.unset("WAIT_FOR");
        FakeMachine.touch(machine.source("agent"));
        machine.run();
        assertTrue(Files.exists(jar), "in use");
        Files.createFile(end);
        assertTrue(running.waitFor(20, TimeUnit.SECONDS));
        FakeMachine.touch(machine.source("agent"));
        machine.run();
        assertFalse(Files.exists(jar), "of no use to anybody");
        assertEquals(3, machine.builds().size());
    }

    /** A move needs no library that makes certificates; behind the others the cache still fits. */
    @Test
    void whatMakesCertificatesIsForTrustAndTheAgentAlone() throws Exception {
        assertEquals(List.of("a.jar", "d.jar"), jars(machine.run("migrate", "trust")));
        assertEquals(List.of("a.jar", "d.jar", "bcpkix-jdk18on-1.jar", "bcutil-jdk18on-1.jar"),
                jars(machine.run("trust", "init")));
        assertEquals(List.of("a.jar", "d.jar", "bcpkix-jdk18on-1.jar", "bcutil-jdk18on-1.jar"),
                jars(machine.run("agent")));
    }

    private static List<String> jars(Run run) {
        String path = run.out().stream().filter(line -> line.contains("a.jar:")).findFirst()
                .orElseThrow();
        return Stream.of(path.substring(5, path.length() - 1).split(":"))
                .map(jar -> Path.of(jar).getFileName().toString()).toList();
    }

    @Test
    void everyStartBeginsWithWhatTheJvmLearntOnce() throws Exception {
        Run first = machine.run("status");
        Path cache = cache(first);
        assertEquals("learnt\n", Files.readString(cache));
        assertTrue(first.out().contains("arg <-Dpageferry.cache=" + cache + ">"));
        Files.writeString(cache, "learnt before");
        assertEquals(cache, cache(machine.run("status")));
        assertEquals("learnt before", Files.readString(cache), "not once more for each start");
        FakeMachine.touch(machine.source("core"));
        assertEquals("learnt\n", Files.readString(cache(machine.run("status"))), "another build");
    }

    @Test
    void worksWhereTheJvmLearnsNothing() throws Exception {
        machine.set("FAKE_DULL", 1);
        Run run = machine.run("status");
        assertEquals(0, run.exit());
        assertEquals("", run.err());
        assertFalse(Files.exists(cache(run)), "half a cache is none");
    }

    private static Path cache(Run run) {
        String option = "arg <-XX:AOTCache=";
        String line = run.out().stream().filter(one -> one.startsWith(option)).findFirst()
                .orElseThrow();
        return Path.of(line.substring(option.length(), line.length() - 1));
    }

    @Test
    void givesTheJvmTheFlagsThatTheTestsRunWith() throws IOException {
        String pom = Files.readString(Repository.root().resolve("pom.xml"));
        String flags = pom.replaceAll("(?s).*<pageferry.jvm.flags>([^<]*)<.*", "$1");
        assertTrue(Files.readString(Repository.root().resolve(FakeMachine.LAUNCH))
                .contains(flags), flags);
    }
}
