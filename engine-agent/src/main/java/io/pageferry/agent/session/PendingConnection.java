package io.pageferry.agent.session;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import java.util.UUID;

/** A fresh connection at the target, until its first message shows what it is for. */
final class PendingConnection implements LinkHandler {
    /** A source that asks for a status may ask again; for so long the connection is kept. */
    static final long KEEP_NANOS = 60_000_000_000L;

    private final TargetLink link;
    private final TargetListener listener;
    private final long since;
    private boolean leaving;
    /** The migration whose status was sent to it: it knew the name. */
    private UUID told;
    private LinkHandler session;

    PendingConnection(TargetLink link, TargetListener listener, long since) {
        this.link = link;
        this.listener = listener;
        this.since = since;
    }

    /** Delivers at most what is there; returns work done. */
    int poll() {
        return link.poll(this);
    }

    TargetLink link() {
        return link;
    }

    /** Returns whether it is done with; its link is closed then unless a session took it. */
    boolean isOver(long now) {
        return leaving || !link.isUp() || now - since > KEEP_NANOS;
    }

    /** Gives it to a session, which polls the link from now on; this poll delivers to it too. */
    void giveTo(LinkHandler taker) {
        session = taker;
    }

    /** Returns whether a session has it. */
    boolean isTaken() {
        return session != null;
    }

    void leave() {
        leaving = true;
    }

    @Override
    public void onMessage(Message message) {
        if (session != null) {
            session.onMessage(message);
            return;
        }
        switch (message) {
            case Message.Hello hello -> listener.onHello(this, hello);
            case Message.Resume resume -> {
                listener.onResume(this, resume);
                told = leaving || session != null ? null : resume.migrationId();
            }
            case Message.Status status -> {
                Message answer = listener.onStatus(status);
                if (!(answer instanceof Message.StatusUnknown)) {
                    told = status.migrationId();
                }
                link.send(answer);
            }
            case Message.Farewell farewell -> {
                if (told != null) {
                    listener.onFarewell(told);
                }
                leave();
            }
            case Message.Heartbeat heartbeat -> { }
            default -> leave();
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        if (session != null) {
            session.onBatch(batch);
        } else {
            leave();
        }
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        leave();
    }
}
