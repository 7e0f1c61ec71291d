package io.pageferry.bench.house;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A checkout with the real launcher and made-up sources, on a machine with a made-up Maven and
 * made-up JDKs: they say what they were told to do.
 */
final class FakeMachine {
    static final String LAUNCH = "packaging/root/usr/lib/pageferry/launch";

    /** What a run of the launcher came to. */
    record Run(int exit, List<String> out, String err) {
    }

    private static final String JAVA = """
            #!/bin/sh
            case "$*" in *" warm-up")
                for arg; do
                    case $arg in -XX:AOTCacheOutput=*) echo learnt >"${arg#*=}" ;; esac
                done
                echo "noise of the warm-up"
                exit ${FAKE_DULL:-0} ;;
            esac
            echo "jdk $(basename "$(dirname "$(dirname "$0")")")"
            echo "charmap $(locale charmap 2>/dev/null)"
            echo "pid $$"
            for arg; do printf 'arg <%s>\\n' "$arg"; done
            [ -z "$WAIT_FOR" ] || while [ ! -f "$WAIT_FOR" ]; do sleep 0.05; done
            exit ${FAKE_EXIT:-0}
            """;
    private static final String MAVEN = """
            #!/bin/sh
            echo "with $(basename "$JAVA_HOME"): $*" >>../maven.log
            echo "noise of the build"
            [ -z "$FAKE_BROKEN" ] || { echo "A.java:3: broken"; exit 1; }
            dist=engine-agent/target/dist
            rm -rf $dist
            mkdir -p $dist
            touch ../started
            sleep 0.3
            touch $dist/a.jar $dist/bcpkix-jdk18on-1.jar $dist/bcutil-jdk18on-1.jar $dist/d.jar
            touch -r ../started $dist/built
            """;

    final Path checkout;
    private final Path folder;
    private final Map<String, String> environment = new TreeMap<>();

    FakeMachine(Path folder) throws IOException {
        this.folder = folder;
        // Blanks, since somebody's folder has them.
        checkout = Files.createDirectories(folder.resolve("a checkout"));
        Files.copy(Repository.root().resolve("pageferry"), checkout.resolve("pageferry"));
        executable(checkout.resolve("pageferry"));
        Path launch = checkout.resolve(LAUNCH);
        Files.createDirectories(launch.getParent());
        Files.copy(Repository.root().resolve(LAUNCH), launch);
        Files.writeString(checkout.resolve("pom.xml"), "");
        for (String module : List.of("core", "transport", "agent")) {
            Path part = checkout.resolve("engine-" + module);
            Files.createDirectories(part.resolve("src/main/java"));
            Files.writeString(part.resolve("pom.xml"), "");
            Files.writeString(source(module), "");
        }
        script(folder.resolve("bin/mvn"), MAVEN);
        jdk("old", 17);
        Files.createSymbolicLink(folder.resolve("bin/java"), folder.resolve("old/bin/java"));
        environment.put("PATH", folder.resolve("bin") + ":/usr/bin:/bin");
        environment.put("HOME", folder.toString());
        environment.put("PAGEFERRY_JDK_FOLDERS",
                folder.resolve("none") + ":" + folder.resolve("usual folder"));
    }

    Path source(String module) {
        return checkout.resolve("engine-" + module + "/src/main/java/A.java");
    }

    Path jdk(String name, int version) throws IOException {
        Path jdk = folder.resolve(name);
        script(jdk.resolve("bin/java"), JAVA);
        script(jdk.resolve("bin/javac"), JAVA);
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + ".0.1\"\n");
        return jdk;
    }

    void set(String name, Object value) {
        environment.put(name, value.toString());
    }

    void unset(String name) {
        environment.remove(name);
    }

    Process start(Path launcher, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    Run run(String... args) throws Exception {
        return run(checkout.resolve("pageferry"), args);
    }

    Run run(Path launcher, String... args) throws Exception {
        return end(start(launcher, args));
    }

    Run end(Process process) throws Exception {
        List<String> out = process.inputReader().lines().toList();
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the launcher hangs");
        }
        return new Run(process.exitValue(), out, Files.readString(folder.resolve("err")));
    }

    List<String> builds() throws IOException {
        Path log = folder.resolve("maven.log");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    /** Dates a file or folder as changed after any build so far. */
    static void touch(Path file) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusMillis(1)));
    }

    static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text, StandardOpenOption.CREATE);
        executable(file);
    }

    private static void executable(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
