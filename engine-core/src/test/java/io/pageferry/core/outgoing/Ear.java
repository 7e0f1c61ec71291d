package io.pageferry.core.outgoing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import java.util.function.Consumer;

/** Hands on what a link delivers. */
record Ear(Consumer<Message> messages, Consumer<PageBatch> batches) implements LinkHandler {
    Ear(Consumer<Message> messages) {
        this(messages, batch -> {
            throw new AssertionError("pages were not expected");
        });
    }

    @Override
    public void onMessage(Message message) {
        messages.accept(message);
    }

    @Override
    public void onBatch(PageBatch batch) {
        batches.accept(batch);
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        // The test knows: it cut the link itself.
    }
}
