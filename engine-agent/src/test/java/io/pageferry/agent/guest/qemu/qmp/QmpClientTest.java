package io.pageferry.agent.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QmpClientTest {
    @TempDir
    Path folder;

    private FakeMonitor monitor(FakeMonitor.Script script) throws IOException {
        return new FakeMonitor(folder.resolve("qmp"), script);
    }

    @Test
    void greetsAndAnswers() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            client.answer("\"limit\":7", "{\"status\": \"running\"}");
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                assertEquals("7.2.3", client.version().toString());
                assertEquals("fake", client.version().packaged());
                JsonNode arguments = JsonNodeFactory.instance.objectNode().put("limit", 7);
                assertEquals("running", client.execute("query-status", arguments)
                        .path("status").asText());
                assertTrue(client.isOpen());
            }
            assertNull(monitor.failure());
        }
    }

    @Test
    void aMonitorThatNeverGreetsIsHeldByAnother() throws Exception {
        try (FakeMonitor monitor = monitor(FakeMonitor.Client::stay)) {
            QmpException e = assertThrows(QmpException.class,
                    () -> QmpClient.connect(monitor.path(), Duration.ofMillis(100)));
            assertEquals(Kind.TIMEOUT, e.kind());
            assertTrue(e.getMessage().contains("held by another client, or QEMU hangs"),
                    e.getMessage());
        }
    }

    @Test
    void aFullBacklogIsHeldByAnotherToo() throws Exception {
        Path path = folder.resolve("full");
        List<QmpException> seen = new ArrayList<>();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path), 1);
            for (int i = 0; i < 4; i++) {
                seen.add(assertThrows(QmpException.class,
                        () -> QmpClient.connect(path, Duration.ofMillis(20))));
            }
        }
        for (QmpException e : seen) {
            assertEquals(Kind.TIMEOUT, e.kind());
        }
    }

    @Test
    void saysWhereNobodyListens() throws Exception {
        Path path = folder.resolve("left");
        QmpException none = assertThrows(QmpException.class, () -> QmpClient.connect(path));
        assertTrue(none.getMessage().contains("no monitor at"), none.getMessage());
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
        }
        QmpException left = assertThrows(QmpException.class, () -> QmpClient.connect(path));
        assertTrue(left.getMessage().contains("nobody listens"), left.getMessage());
        assertEquals(Kind.CLOSED, left.kind());
    }

    @Test
    void anErrorReplyLeavesTheConnectionGood() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            long id = client.expect("cont");
            client.say("{\"id\": " + id + ", \"error\": {\"class\": \"GenericError\","
                    + " \"desc\": \"Failed to get \\\"write\\\" lock\"}}\n");
            client.answer("query-status", "{\"status\": \"paused\", \"running\": false}");
            client.stay();
        })) {
            try (QemuControl qemu = QemuControl.connect(monitor.path())) {
                QemuControl.ContResult cont = qemu.cont();
                assertFalse(cont.running());
                assertTrue(cont.lockRefused());
                assertEquals(RunState.PAUSED, qemu.status().state());
            }
            assertNull(monitor.failure());
        }
    }

    @Test
    void eventsBetweenHalvesOfAReplyAreKept() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            long id = client.expect("stop");
            client.say("{\"timestamp\": {\"seconds\": 2, \"microseconds\": 5}, \"event\":"
                    + " \"STOP\"}\r\n{\"return\"");
            client.say(": {}, \"id\": " + id + "}\r\n{\"timestamp\": {}, \"event\": \"RESET\","
                    + " \"data\": {\"guest\": true}}\r\n");
            client.answer("query-status", "{}");
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                assertNull(client.pollEvent());
                client.execute("stop");
                client.execute("query-status");
                QmpClient.Event stop = client.pollEvent();
                assertEquals("STOP", stop.name());
                assertEquals(2_000_005, stop.epochMicros());
                QmpClient.Event reset = client.pollEvent();
                assertTrue(reset.data().path("guest").asBoolean());
                assertNull(client.pollEvent());
            }
            assertNull(monitor.failure());
        }
    }

    @Test
    void theOldestEventsGoFirst() throws Exception {
        int sent = QmpClient.EVENT_CAPACITY + 3;
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            for (int i = 0; i < sent; i++) {
                client.say("{\"event\": \"E" + i + "\"}\n");
            }
            client.answer("query-status", "{}");
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                client.execute("query-status");
                assertEquals(3, client.droppedEvents());
                assertEquals("E3", client.pollEvent().name());
            }
        }
    }

    @Test
    void aLateReplyIsNotTakenForTheNext() throws Exception {
        CountDownLatch late = new CountDownLatch(1);
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            long first = client.expect("query-late");
            try {
                late.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            client.say("{\"return\": \"late\", \"id\": " + first + "}\n");
            client.answer("query-name", "\"right\"");
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                QmpException e = assertThrows(QmpException.class,
                        () -> client.execute("query-late", null, Duration.ofMillis(20)));
                assertEquals(Kind.TIMEOUT, e.kind());
                late.countDown();
                assertEquals("right", client.execute("query-name").asText());
            }
            assertNull(monitor.failure());
        }
    }

    @Test
    void anEndInTheMiddleOfAReplyIsTold() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            client.expect("query-status");
            client.say("{\"return\": {\"sta");
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                QmpException e = assertThrows(QmpException.class,
                        () -> client.execute("query-status"));
                assertEquals(Kind.CLOSED, e.kind());
                assertFalse(client.isOpen());
                assertEquals(Kind.CLOSED, assertThrows(QmpException.class,
                        () -> client.execute("query-status")).kind());
            }
        }
    }

    @Test
    void quitIsDoneWhenQemuHangsUp() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            client.expect("quit");
        })) {
            try (QemuControl qemu = QemuControl.connect(monitor.path())) {
                qemu.quit();
            }
            assertNull(monitor.failure());
        }
    }

    @Test
    void junkEndsTheConnection() throws Exception {
        for (String junk : List.of("SSH-2.0-OpenSSH_9.2\r\n", "[1, 2]\n", "{\"hello\": 1}\n")) {
            try (FakeMonitor monitor = monitor(client -> {
                client.say(junk);
                client.stay();
            })) {
                QmpException e = assertThrows(QmpException.class,
                        () -> QmpClient.connect(monitor.path()));
                assertEquals(Kind.PROTOCOL, e.kind(), junk);
                assertTrue(e.getMessage().contains("does not speak QMP"), e.getMessage());
            }
        }
    }

    @Test
    void aLineWithoutEndIsRefused() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            String part = "x".repeat(1 << 20);
            for (int i = 0; i <= QmpLines.LIMIT >> 20; i++) {
                client.say(part);
            }
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                QmpException e = assertThrows(QmpException.class,
                        () -> client.execute("query-status"));
                assertEquals(Kind.PROTOCOL, e.kind());
            }
        }
    }

    @Test
    void closeWakesWhoWaits() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            client.expect("query-status");
            asked.countDown();
            client.stay();
        })) {
            QmpClient client = QmpClient.connect(monitor.path());
            AtomicReference<QmpException> thrown = new AtomicReference<>();
            Thread caller = Thread.ofPlatform().start(() -> thrown.set(assertThrows(
                    QmpException.class, () -> client.execute("query-status"))));
            asked.await();
            client.close();
            caller.join();
            assertEquals(Kind.CLOSED, thrown.get().kind());
        }
    }

    @Test
    void anInterruptBreaksNothing() throws Exception {
        try (FakeMonitor monitor = monitor(client -> {
            client.greet();
            client.answer("stop", "{}");
            client.answer("cont", "{}");
            client.stay();
        })) {
            try (QmpClient client = QmpClient.connect(monitor.path())) {
                Thread.currentThread().interrupt();
                client.execute("stop");
                client.execute("cont");
                assertTrue(Thread.interrupted());
            }
        }
    }
}
