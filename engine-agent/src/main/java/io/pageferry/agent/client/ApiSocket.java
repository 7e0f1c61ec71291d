package io.pageferry.agent.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A connection to an agent whose every wait has a limit. One thread; another one may close it,
 * which ends a wait.
 */
abstract class ApiSocket extends InputStream {
    /** Sets how long each wait may last. */
    abstract void limit(Duration limit) throws IOException;

    /** Writes all of it. */
    abstract void write(ByteBuffer bytes) throws IOException;
}
