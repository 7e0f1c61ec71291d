package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;

/** A process that has an image open for writing. */
record Holder(Process process) implements AutoCloseable {
    static Holder take(Path image) throws IOException {
        String format = image.toString().endsWith("qcow2") ? "qcow2" : "raw";
        Process process = new ProcessBuilder("qemu-io", "-f", format, image.toString())
                .redirectErrorStream(true).start();
        StringBuilder said = new StringBuilder();
        // It prompts once it has the image, and goes on until its input ends.
        while (said.indexOf("qemu-io> ") < 0) {
            int letter = process.getInputStream().read();
            assertTrue(letter >= 0, said.toString());
            said.append((char) letter);
        }
        return new Holder(process);
    }

    String words() {
        return "is held by process " + process.pid() + " (qemu-io -f ";
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
