package io.pageferry.core.simulation;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.testing.SourceLinkFilter;
import io.pageferry.core.testing.TestGate;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Optional;

/** The wrappers that break a rule. */
final class Mutants {
    private Mutants() {
    }

    /**
     * Reports first and clears when it is asked again, which is after the pages were read: a page
     * written in between is cleared with the others.
     */
    static final class LateClearing implements DirtyTracker {
        private final DirtyTracker real;
        private final DirtyBitmap reported;

        LateClearing(DirtyTracker real, long pages) {
            this.real = real;
            this.reported = new DirtyBitmap(pages);
        }

        @Override
        public String name() {
            return "late clearing";
        }

        @Override
        public void start() throws TrackerException {
            real.start();
        }

        @Override
        public void harvest(DirtyBitmap into) throws TrackerException {
            try (DirtyBitmap fresh = new DirtyBitmap(reported.pages())) {
                real.harvest(fresh);
                reported.forEachRun((first, count) -> {
                    for (long page = first; page < first + count; page++) {
                        fresh.clear(page);
                    }
                });
                reported.clearAll();
                fresh.forEachRun((first, count) -> {
                    reported.markRange(first, count);
                    into.markRange(first, count);
                });
            }
        }

        @Override
        public void close() {
            real.close();
            reported.close();
        }
    }

    /** Cannot be undone. */
    record StuckGate(TestGate gate) implements WriteThrottle {
        @Override
        public String name() {
            return gate.name();
        }

        @Override
        public void set(int percent) {
            gate.set(percent);
        }

        @Override
        public void quota(Quota quota) {
            gate.quota(quota);
        }

        @Override
        public long stolenNanos() {
            return gate.stolenNanos();
        }

        @Override
        public void close() {
            // That is what is wrong with it.
        }
    }

    /** What a recovery finds: a lock that was never taken, or a grant that is overlooked. */
    static Abandoned of(Abandoned real, Mutant mutant) {
        Abandoned.Places places = real.places();
        Abandoned.Places broken = switch (mutant) {
            case RESUME_IN_GRANTED -> new Abandoned.Places(new GrantOverlooked(places.journal()),
                    places.journalLock(), places.handle(), places.guestLock());
            case NO_JOURNAL_LOCK -> new Abandoned.Places(places.journal(), new SimulatedLock(),
                    places.handle(), places.guestLock());
            case NO_GUEST_LOCK -> new Abandoned.Places(places.journal(), places.journalLock(),
                    places.handle(), new SimulatedLock());
            default -> places;
        };
        return new Abandoned(real.id(), real.side(), broken, real.who(), real.target());
    }

    private record GrantOverlooked(Journal real) implements Journal {
        @Override
        public void write(JournalRecord entry) throws IOException {
            real.write(entry);
        }

        @Override
        public Optional<JournalRecord> last() {
            return real.last();
        }

        @Override
        public Optional<JournalRecord> decision() {
            return real.decision().map(last -> last.state() != JournalState.GRANTED ? last
                    : new JournalRecord(JournalState.SWITCHOVER, last.epoch(), last.ran(), ""));
        }
    }

    /** Answers each barrier of pre-copy itself, as soon as it is sent, and hides the debt. */
    static final class NoBarrier extends SourceLinkFilter {
        private final ArrayDeque<Message> answers = new ArrayDeque<>();
        private boolean over;

        NoBarrier(SourceLink link) {
            super(link);
        }

        @Override
        public boolean send(Message message) {
            if (!over && message instanceof Message.RoundEnd end) {
                answers.add(new Message.RoundApplied(end.round()));
                answers.add(new Message.RoundVerified(end.round()));
                return true;
            }
            boolean sent = super.send(message);
            over |= sent && message instanceof Message.Switchover;
            return sent;
        }

        @Override
        public int poll(LinkHandler handler) {
            int polled = super.poll(handler);
            while (!answers.isEmpty()) {
                handler.onMessage(answers.poll());
                polled++;
            }
            return polled;
        }

        @Override
        public int unacknowledged() {
            return over ? super.unacknowledged() : 0;
        }
    }

    /** Answers a cancel itself. */
    static final class CancelUnheard extends SourceLinkFilter {
        private Message.Cancel said;

        CancelUnheard(SourceLink link) {
            super(link);
        }

        @Override
        public boolean send(Message message) {
            boolean sent = super.send(message);
            said = sent && message instanceof Message.Cancel cancel ? cancel : said;
            return sent;
        }

        @Override
        public int poll(LinkHandler handler) {
            int polled = super.poll(handler);
            if (said == null) {
                return polled;
            }
            handler.onMessage(said);
            said = null;
            return polled + 1;
        }
    }

    /** Takes raw pages for what they are now, as if nothing had been damaged. */
    static void believe(PageBatch batch) {
        PageChecksum checksum = new PageChecksum();
        int at = 0;
        for (int i = 0; i < batch.count(); i++) {
            long descriptor = batch.descriptorAt(i);
            if (PageBatch.codecOf(descriptor) == PageCodec.RAW) {
                batch.setEntry(i, descriptor, checksum.of(batch.payloadBuffer(), at), 0);
            }
            at += PageBatch.lengthOf(descriptor);
        }
    }

    /** A batch on a connection that was given up: kept on its way, and delivered on the next. */
    static final class Straggler {
        private byte[] payload;
        private long[] descriptors;
        private int[] checksums;
        private int[] references;
        private int region;
        private long round;

        boolean isKept() {
            return payload != null;
        }

        void keep(PageBatch batch) {
            payload = batch.payload().asSlice(0, batch.payloadBytes())
                    .toArray(ValueLayout.JAVA_BYTE);
            descriptors = new long[batch.count()];
            checksums = new int[batch.count()];
            references = new int[batch.count()];
            for (int i = 0; i < descriptors.length; i++) {
                descriptors[i] = batch.descriptorAt(i);
                checksums[i] = batch.checksumAt(i);
                references[i] = batch.referenceAt(i);
            }
            region = batch.region();
            round = batch.round();
        }

        /** Fills a slot with it, under the stamp of a batch that may come now. */
        PageBatch arrive(PageBatch slot, long generation, long sequence) {
            slot.begin(region, round);
            MemorySegment.copy(MemorySegment.ofArray(payload), 0, slot.payload(), 0,
                    payload.length);
            for (int i = 0; i < descriptors.length; i++) {
                slot.setEntry(i, descriptors[i], checksums[i], references[i]);
            }
            slot.received(descriptors.length, payload.length);
            slot.stamp(generation, 0, sequence);
            payload = null;
            return slot;
        }
    }
}
