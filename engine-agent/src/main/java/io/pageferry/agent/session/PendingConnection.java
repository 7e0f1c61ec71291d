package io.pageferry.agent.session;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;

/** A fresh connection at the target, until its first message says what it is for. */
final class PendingConnection implements LinkHandler {
    /** Somebody who asks for a status may ask again; for so long the connection is kept. */
    static final long KEEP_NANOS = 60_000_000_000L;

    private final TargetLink link;
    private final TargetAgent agent;
    private final long since;
    private boolean leaving;
    /** Whether it was told what became of a migration: it knew the name of one. */
    private boolean told;
    private LinkHandler heir;

    PendingConnection(TargetLink link, TargetAgent agent, long since) {
        this.link = link;
        this.agent = agent;
        this.since = since;
    }

    /** Delivers at most what is there; returns work done. */
    int poll() {
        return link.poll(this);
    }

    TargetLink link() {
        return link;
    }

    /** Whether it is done with; its link is closed then unless a migration took it. */
    boolean isOver(long now) {
        return leaving || !link.isUp() || now - since > KEEP_NANOS;
    }

    /** A migration polls the link from now on; what this poll still delivers is its too. */
    void takenBy(LinkHandler migration) {
        heir = migration;
    }

    /** Whether a migration has it. */
    boolean isTaken() {
        return heir != null;
    }

    void leave() {
        leaving = true;
    }

    @Override
    public void onMessage(Message message) {
        if (heir != null) {
            heir.onMessage(message);
            return;
        }
        switch (message) {
            case Message.Hello hello -> agent.onHello(this, hello);
            case Message.Resume resume -> {
                agent.onResume(this, resume);
                told = !leaving && heir == null;
            }
            case Message.Status status -> {
                Message answer = agent.onStatus(status);
                told |= !(answer instanceof Message.StatusUnknown);
                link.send(answer);
            }
            case Message.Farewell farewell -> {
                if (told) {
                    agent.onFarewell(farewell);
                }
                leave();
            }
            default -> {
                if (!(message instanceof Message.Heartbeat)) {
                    leave();
                }
            }
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        if (heir != null) {
            heir.onBatch(batch);
        } else {
            leave();
        }
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        leave();
    }
}
