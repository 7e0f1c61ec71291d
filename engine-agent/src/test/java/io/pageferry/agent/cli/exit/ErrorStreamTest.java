package io.pageferry.agent.cli.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nobody waits for who reads stderr. */
@Timeout(60)
class ErrorStreamTest {
    private static final String LINE = "a line that is not read\n";
    private static final int LINES = 100_000;

    private final CountDownLatch read = new CountDownLatch(1);
    private final ByteArrayOutputStream seen = new ByteArrayOutputStream();

    /** A pipe whose other end is read from some moment on. */
    private final OutputStream pipe = new OutputStream() {
        @Override
        public void write(int one) {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            try {
                read.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            seen.write(bytes, offset, length);
        }
    };

    @Test
    void whatIsReadComesWholeAndInOrder() {
        read.countDown();
        ErrorStream stream = new ErrorStream(pipe);
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            write(stream, i + LINE);
            all.append(i).append(LINE);
        }
        stream.drain(30_000);
        assertEquals(all.toString(), seen.toString(StandardCharsets.UTF_8));
    }

    @Test
    void whatIsNotReadIsDroppedAndCounted() {
        ErrorStream stream = new ErrorStream(pipe);
        for (int i = 0; i < LINES; i++) {
            write(stream, LINE);
        }
        stream.drain(1);
        read.countDown();
        stream.drain(30_000);
        write(stream, "the last\n");
        stream.drain(30_000);
        String text = seen.toString(StandardCharsets.UTF_8);
        long whole = text.lines().filter(line -> line.equals(LINE.strip())).count();
        assertTrue(whole > 1000 && whole < LINES, () -> whole + " lines");
        assertTrue(text.endsWith("were dropped, for nobody read them\nthe last\n"), text);
        assertEquals((LINES - whole) * LINE.length(), text.lines()
                .filter(line -> line.contains("were dropped")).mapToLong(line ->
                        Long.parseLong(line.split(" ")[1])).sum(), text);
    }

    private static void write(ErrorStream stream, String line) {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        stream.write(bytes, 0, bytes.length);
    }
}
