package io.pageferry.agent.guest.qemu.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MadeFilesTest {
    @TempDir
    Path folder;

    private Path at(String name) {
        return folder.resolve(name);
    }

    private void toBeMade(String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("/usr/bin/qemu"));
        arguments.addAll(List.of(options));
        MadeFiles.write(folder, MadeFiles.toBeMade(arguments));
    }

    private static void socket(Path path) throws IOException {
        try (ServerSocketChannel one = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            one.bind(UnixDomainSocketAddress.of(path));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "-chardev|socket,id=c,path=/made/a,server=on,wait=off|true",
        "-chardev|socket,id=c,path=/made/a,server,nowait|true",
        "-chardev|socket,id=c,path=/made/a,server=off|false",
        "-chardev|socket,id=c,path=/made/a|false",
        "-qmp|unix:/made/a,server=yes|true",
        "-serial|unix:/made/a|false",
        "-vnc|unix:/made/a|true",
        "-pidfile|/made/a|true",
        "-object|memory-backend-file,id=m,mem-path=/made/a|true",
    })
    void aSocketOfWhichQemuIsTheClientIsNotMadeByIt(String option, String value, boolean made) {
        Set<String> paths = MadeFiles.toBeMade(List.of("/usr/bin/qemu", option, value)).stream()
                .map(MadeFiles.Made::path).collect(Collectors.toSet());
        assertEquals(made ? Set.of("/made/a") : Set.of(), paths);
    }

    @Test
    void onlyWhatQemuMakesThereIsDeleted() throws IOException {
        Files.createFile(at("before"));
        toBeMade("-pidfile", at("pid").toString(), "-mem-path", at("before").toString(),
                "-chardev", "socket,id=a,server,path=" + at("a"),
                "-chardev", "socket,id=b,server,path=" + at("b"));
        Files.createFile(at("pid"));
        socket(at("a"));
        Files.createFile(at("b"));
        MadeFiles.delete(folder);
        assertFalse(Files.exists(at("pid")));
        assertFalse(Files.exists(at("a")));
        assertTrue(Files.exists(at("b")), "no socket");
        assertTrue(Files.exists(at("before")));
    }

    /** Another QEMU binds the same path anew. */
    @Test
    void whatTookThePlaceOfOneStays() throws IOException {
        toBeMade("-qmp", "unix:" + at("a") + ",server=on", "-qmp", "unix:" + at("b")
                + ",server=on", "-pidfile", at("pid").toString());
        socket(at("a"));
        socket(at("b"));
        MadeFiles.write(folder, MadeFiles.seen(folder));
        Files.move(at("a"), at("kept"));
        socket(at("a"));
        Files.createFile(at("pid"));
        MadeFiles.delete(folder);
        assertTrue(Files.exists(at("a")));
        assertFalse(Files.exists(at("b")));
        assertTrue(Files.exists(at("pid")), "it was not there when QEMU had started");
    }
}
