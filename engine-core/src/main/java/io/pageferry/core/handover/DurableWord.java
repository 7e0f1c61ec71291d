package io.pageferry.core.handover;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;

/** Waits for the target's durable word on one epoch. */
final class DurableWord implements LinkHandler {
    private final long epoch;
    private Message word;
    private String said = "";

    DurableWord(long epoch) {
        this.epoch = epoch;
    }

    /** {@return the attempt that it is about} */
    long epoch() {
        return epoch;
    }

    /** {@return RUNNING, REFUSED or RETURNED; null as long as none came} */
    Message word() {
        return word;
    }

    /** {@return why there is none, as far as the target or the link said, or nothing} */
    String said() {
        return said;
    }

    @Override
    public void onMessage(Message message) {
        switch (message) {
            case Message.Running running when running.epoch() == epoch -> word = running;
            case Message.Refused refused when refused.epoch() == epoch -> word = refused;
            case Message.Returned returned when returned.epoch() == epoch -> word = returned;
            case Message.StatusUnknown unknown -> said = unknown.reason();
            default -> { }
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        // A link that only asks for the status gets no pages.
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        said = reason;
    }
}
