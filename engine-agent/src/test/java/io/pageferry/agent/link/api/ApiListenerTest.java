package io.pageferry.agent.link.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose the socket is, and who may ask. */
class ApiListenerTest {
    private static final String NOBODY = "65534";
    /** Debian's name of group 65534. */
    private static final String GROUP = "nogroup";
    private static final String ASK = "my $s = IO::Socket::UNIX->new($ARGV[0]) or exit 9;"
            + " print $s \"GET /a HTTP/1.0\\r\\n\\r\\n\"; print <$s>";

    @TempDir
    private Path folder;

    private final List<Throwable> bugs = new CopyOnWriteArrayList<>();
    private Path path;

    @BeforeEach
    void name() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        path = folder.resolve("api.sock");
    }

    private ApiListener open(String group) throws IOException {
        return ApiListener.open(UnixDomainSocketAddress.of(path), group, this::answer, bugs::add);
    }

    private HttpAnswer answer(HttpCall call) {
        return new HttpAnswer.Whole(200, "text/plain", Map.of(),
                call.caller().toString().getBytes());
    }

    private String rights() throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    /** What a process of another user hears; its exit code where it cannot even connect. */
    private String ask(String... groups) throws Exception {
        Process other = new ProcessBuilder("setpriv", "--reuid=" + NOBODY, "--regid=12345",
                groups.length == 0 ? "--clear-groups" : "--groups=" + String.join(",", groups),
                "perl", "-MIO::Socket::UNIX", "-e", ASK, path.toString())
                .redirectErrorStream(true).start();
        String heard = new String(other.getInputStream().readAllBytes());
        int code = other.waitFor();
        return code == 0 ? heard : "exit " + code;
    }

    @Test
    void aUserOfTheGroupMayAskAndOthersMayNot() throws Exception {
        Assumptions.assumeTrue(System.getProperty("user.name").equals("root")
                && Files.isExecutable(Path.of("/usr/bin/setpriv"))
                && Files.isExecutable(Path.of("/usr/bin/perl")), "root, setpriv, perl are wanted");
        try (ApiListener _ = open(GROUP)) {
            assertEquals("rw-rw----", rights());
            assertEquals(Integer.parseInt(NOBODY), Files.getAttribute(path, "unix:gid"));
            String heard = ask("1", NOBODY, "2");
            assertTrue(heard.startsWith("HTTP/1.1 200 "), heard);
            assertTrue(heard.contains("Caller[user=65534, group=65534, name=,"), heard);
            assertEquals("exit 9", ask());

            // Whoever gets past the rights of the file is asked for all the same.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
            heard = ask("1", "2");
            assertTrue(heard.startsWith("HTTP/1.1 403 "), heard);
        }
        assertFalse(Files.exists(path));
        assertEquals(List.of(), bugs);
    }

    @Test
    void withoutTheGroupItIsTheOwnersAlone() throws Exception {
        try (ApiListener _ = open("no-such-group-here")) {
            assertEquals("rw-------", rights());
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void oneThatListensThereStays() throws Exception {
        try (ApiListener _ = open("no-such-group-here")) {
            IOException e = assertThrows(IOException.class, () -> open("no-such-group-here"));
            assertTrue(e.getMessage().contains("another process listens there"), e.getMessage());
            assertTrue(Files.exists(path));
        }
    }
}
