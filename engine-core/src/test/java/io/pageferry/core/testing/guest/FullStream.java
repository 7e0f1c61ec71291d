package io.pageferry.core.testing.guest;

import java.io.IOException;
import java.io.OutputStream;

/** Takes so many bytes and no more, as a link that is lost. */
final class FullStream extends OutputStream {
    private int room;

    FullStream(int room) {
        this.room = room;
    }

    @Override
    public void write(int one) throws IOException {
        if (room-- <= 0) {
            throw new IOException("no room for the state");
        }
    }
}
