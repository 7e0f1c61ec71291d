package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** On one host another user is kept out, unless both have a secret. */
class TokenMoveTest extends WithRig {
    private static final String GUEST = "workload:16MiB?rate=1MiB/s";
    private static final String ROOM = "workload:16MiB";
    private static final int OTHER = 65534;

    /** One that may read the jars, which lie in a folder of the user that runs the tests. */
    private static final List<String> AS_OTHER = List.of("setpriv", "--reuid=" + OTHER,
            "--regid=" + OTHER, "--clear-groups", "--inh-caps=-all,+dac_read_search",
            "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search");

    private Path secret(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    private static String[] token(Path file, String... more) {
        return with(List.of("--token-file", file.toString()), more).toArray(String[]::new);
    }

    private static void assertRefused(String words, Agent source, Agent target)
            throws IOException {
        E2e.assertEnds(3, "refused", source);
        String reason = source.report().at("/error/reason").asText();
        assertTrue(reason.contains(words), source::toString);
        target.await(words, event -> event.path("message").asText().contains(words));
    }

    /** Migrates as another user of this host. */
    private Agent stranger(String to, String... more) throws IOException {
        return rig.start(new Start(AS_OTHER, List.of(), with(List.of("migrate", GUEST, "--to", to,
                "--state-dir", folder.resolve("theirs").resolve("state").toString()), more)));
    }

    private void needAnotherUser() throws IOException {
        Assumptions.assumeTrue(System.getProperty("user.name").equals("root")
                && Files.isExecutable(Path.of("/usr/bin/setpriv")), "root and setpriv are wanted");
        rig.openToAll();
        Path theirs = Files.createDirectory(folder.resolve("theirs"));
        Files.setAttribute(theirs, "unix:uid", OTHER, LinkOption.NOFOLLOW_LINKS);
    }

    @Test
    void anotherUserIsRefusedAndLetInWithTheSecret() throws IOException {
        needAnotherUser();
        Agent target = receive(ROOM);
        assertRefused("user " + OTHER + " of this host is neither root nor the user",
                stranger(target.address()), target);
        target.kill();

        Path ours = secret("ours", "correct horse battery staple");
        Path theirs = secret("theirs/secret", "correct horse battery staple");
        Files.setAttribute(theirs, "unix:uid", OTHER);
        Agent open = receive(ROOM, token(ours));
        assertRefused("--token-file", stranger(open.address()), open);
        E2e.assertMoved(stranger(open.address(), token(theirs)), open);
    }

    @Test
    void bothHaveItOrNeither() throws IOException {
        Path secret = secret("secret", "0123456789abcdef");
        Path other = secret("other", "0123456789abcdeF");
        Agent plain = receive(ROOM);
        assertRefused("this side has none: give --token-file to both", migrate(GUEST,
                plain.address(), token(secret)), plain);
        E2e.assertMoved(migrate(GUEST, plain.address()), plain);
        Agent target = receive(ROOM, token(secret));
        assertRefused("different secrets", migrate(GUEST, target.address(), token(other)), target);
        assertRefused("--token-file", migrate(GUEST, target.address()), target);
        E2e.assertMoved(migrate(GUEST, target.address(), token(secret, "--channels", "2")),
                target);
        rig.awaitNothingLeft();
    }

    @Test
    void aLinkThatComesBackWantsItToo() throws IOException {
        Path secret = secret("secret", "0123456789abcdef");
        Agent target = receive(ROOM, token(secret, "--reconnect-window", "60s"));
        try (Cable cable = new Cable(target.address())) {
            Agent source = rig.start("round 0", with(List.of("migrate", GUEST, "--to",
                    cable.address(), "--reconnect-window", "60s"), token(secret)));
            assertSurvivesACut(cable, source, target);
        }
    }

    @Test
    void soDoesWhoSettles() throws IOException {
        Path secret = secret("secret", "0123456789abcdef");
        Agent target = rig.start("", with(List.of("receive", ROOM, "--listen", "127.0.0.1:0"),
                token(secret)));
        String migration = killedWhenGranted(GUEST, target.address(), token(secret))
                .path("migration").asText();
        Agent without = settle(migration, "--settle-window", "2s");
        assertEquals(6, without.exit(), without::toString);
        target.await("refusal", event -> event.path("message").asText().contains("--token-file"));
        Agent asked = settle(migration, token(secret));
        assertEquals(4, asked.exit(), asked::toString);
    }
}
