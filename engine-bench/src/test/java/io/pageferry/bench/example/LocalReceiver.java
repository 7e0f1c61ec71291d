package io.pageferry.bench.example;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.target.TargetMigration;
import io.pageferry.core.target.TargetOptions;
import io.pageferry.core.target.TargetParts;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import java.util.Optional;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;

/** The target's side: one thread that takes a guest in, also over a second link. */
final class LocalReceiver implements AutoCloseable {
    private final LocalPort port;
    private final TestIncomingGuest guest =
            new TestIncomingGuest(TestImage::new, new EventLog());
    private final Thread thread;
    private volatile boolean over;
    private volatile Outcome outcome;

    LocalReceiver(LocalPort port) {
        this.port = port;
        this.thread = Thread.ofPlatform().name("target").start(this::receive);
    }

    private void receive() {
        Optional<TargetLink> first = Optional.empty();
        while (first.isEmpty() && !over) {
            first = port.accept();
        }
        if (first.isEmpty()) {
            return;
        }
        try (TargetMigration to = new TargetMigration(new TargetParts(first.get(), guest,
                id -> new TestJournal("target", new EventLog()), UUID.randomUUID(),
                SystemNanoClock.INSTANCE, MigrationListener.silent(),
                TargetOptions.defaults()))) {
            TargetLink newcomer = null;
            while (!to.isDone() && !over) {
                newcomer = newcomer == null ? port.accept().orElse(null) : greeted(newcomer, to);
                if (to.doWork() == 0) {
                    Thread.onSpinWait();
                }
            }
            outcome = to.outcome().orElse(null);
        }
    }

    /** Hands a new link to the migration once RESUME came on it; returns it until then. */
    private static TargetLink greeted(TargetLink newcomer, TargetMigration to) {
        boolean[] taken = {false};
        newcomer.poll(new LinkHandler() {
            @Override
            public void onMessage(Message message) {
                if (taken[0]) {
                    to.onMessage(message);
                } else if (message instanceof Message.Resume asked) {
                    taken[0] = to.resume(newcomer, asked).isEmpty();
                }
            }

            @Override
            public void onBatch(PageBatch batch) {
                to.onBatch(batch);
            }

            @Override
            public void onLost(ErrorCode code, String reason) {
                taken[0] = true;
            }
        });
        return taken[0] ? null : newcomer;
    }

    /** {@return how it ended here, once the source ended} */
    Outcome outcome() {
        join();
        return outcome;
    }

    private void join() {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", interrupted);
        }
    }

    TestIncomingGuest guest() {
        return guest;
    }

    @Override
    public void close() {
        over = true;
        join();
        guest.close();
    }
}
