package io.pageferry.core.incoming;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.MemoryLinks;
import io.pageferry.core.testing.RecordingListener;
import io.pageferry.core.testing.Samples;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import io.pageferry.core.testing.Workload;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/** A target with a test at the other end of its link, which says and sends what it likes. */
final class TargetRig implements AutoCloseable {
    static final UUID ID = new UUID(7, 7);
    static final long SECOND = 1_000_000_000L;
    static final int PAGES = 64;

    final EventLog log = new EventLog();
    final ManualClock clock = new ManualClock(Long.MAX_VALUE - 5 * SECOND);
    final TestIncomingGuest guest = new TestIncomingGuest(TestImage::new, log);
    final TestJournal journal = new TestJournal("target", log);
    final RecordingListener listener = new RecordingListener("target", log);
    final MemoryLinks links = MemoryLinks.orderly();
    final List<Message> received = new ArrayList<>();
    final Workload workload = new Workload(11, PAGES);
    final TargetMigration target;

    /** Whether the process is warm. */
    boolean warm = true;

    /** How making the journal fails, or null. */
    IOException journalFailure;

    TargetRig() {
        this(0);
    }

    /** A target that keeps its image for so long after a lost link. */
    TargetRig(long reconnectNanos) {
        TargetOptions usual = TargetOptions.defaults();
        for (int page = 0; page < 48; page++) {
            workload.touch(page);
        }
        target = new TargetMigration(new TargetParts(links.target(), guest, this::openJournal,
                new UUID(8, 8), clock, listener, new TargetOptions(usual.window(),
                usual.grantNanos(), usual.lastWordNanos(), usual.channels(), reconnectNanos),
                () -> warm));
    }

    /** A rig that is in a state and stays there. */
    static TargetRig in(TargetState state) {
        return new TargetRig().recoveryAddress(state);
    }

    /** RECEIVING after SWITCHOVER(1): the state may come. */
    static TargetRig switchedOver() {
        TargetRig rig = in(TargetState.RECEIVING);
        rig.say(new Message.Switchover(1));
        rig.turn();
        return rig;
    }

    /** RECEIVING after a COMPLETE that names a batch that has not come. */
    static TargetRig complete() {
        TargetRig rig = switchedOver();
        rig.sayState();
        long[] beyond = rig.source().pages().lastSequences();
        beyond[0]++;
        rig.say(new Message.Complete(1, rig.digest(), 0, beyond, rig.stateSum()));
        rig.turns(3);
        return rig;
    }

    /** Told that the image differs, and asked for the whole table of checksums. */
    static TargetRig mismatched() {
        TargetRig rig = switchedOver();
        rig.sayState();
        rig.say(rig.completeWith(rig.digest() + 1, 0));
        rig.turns(3);
        return rig;
    }

    TargetRig recoveryAddress(TargetState state) {
        switch (state) {
            case WAITING -> turn();
            case RESERVED -> {
                say(hello());
                turn();
                source().openChannels(last(Message.Welcome.class));
            }
            case RECEIVING -> {
                recoveryAddress(TargetState.RESERVED);
                sendPages(0);
                turns(2);
            }
            case READY -> {
                offerAll();
                turns(3);
            }
            case REFUSED -> {
                recoveryAddress(TargetState.READY);
                clock.advance(10 * SECOND);
                turn();
            }
            case RETURNED -> {
                guest.failResume(new GuestException(
                        ErrorCode.GUEST_FAILED, "a lock is held", "").provablyNeverRan());
                recoveryAddress(TargetState.READY);
                say(new Message.Grant(1, true));
                turn();
            }
            case RUNNING -> {
                recoveryAddress(TargetState.READY);
                say(new Message.Grant(1, true));
                turn();
            }
            case ENDED -> {
                recoveryAddress(TargetState.RECEIVING);
                say(new Message.Cancel(0, ErrorCode.CANCELLED, "the test says so"));
                turn();
            }
            default -> throw new IllegalArgumentException("nobody stays in " + state);
        }
        if (target.state() != state) {
            throw new IllegalStateException("not in " + state + ": " + log);
        }
        return this;
    }

    /** Says all up to COMPLETE, as a source without a fault does. */
    void offerAll() {
        recoveryAddress(TargetState.RECEIVING);
        say(new Message.Switchover(1));
        sayState();
        say(completeWith(digest(), 0));
    }

    Message.Hello hello() {
        return (Message.Hello) Samples.all(ID, 1).getFirst();
    }

    void sayState() {
        say(new Message.StateChunk(1, 0, workload.save()));
    }

    Message.Complete completeWith(long digest, long left) {
        return new Message.Complete(1, digest, left, source().pages().lastSequences(),
                stateSum());
    }

    Message.StateSum stateSum() {
        CRC32C crc = new CRC32C();
        crc.update(workload.save());
        return new Message.StateSum(workload.save().length, (int) crc.getValue());
    }

    /** The digest of the guest's memory, summed here. */
    long digest() {
        try (ChecksumTable table = new ChecksumTable(PAGES)) {
            for (int page = 0; page < PAGES; page++) {
                CRC32C crc = new CRC32C();
                crc.update(workload.content(page));
                table.set(page, (int) crc.getValue());
            }
            return table.digest();
        }
    }

    /** Sends every page that holds something, raw, in one batch. */
    void sendPages(long round) {
        PageBatch batch = source().pages().claim();
        batch.begin(0, round);
        for (int page = 0; page < PAGES; page++) {
            if (!workload.isZero(page)) {
                MemorySegment.copy(MemorySegment.ofArray(workload.content(page)), 0,
                        batch.payload(), batch.payloadBytes(), PageGeometry.PAGE_SIZE);
                CRC32C sum = new CRC32C();
                sum.update(workload.content(page));
                batch.append(page, PageCodec.RAW, PageGeometry.PAGE_SIZE, (int) sum.getValue());
            }
        }
        source().pages().commit(batch);
    }

    SourceLink source() {
        return links.source();
    }

    void say(Message message) {
        if (!source().send(message)) {
            throw new IllegalStateException("the link takes nothing");
        }
    }

    void turn() {
        target.doWork();
        source().poll(new Hand());
    }

    void turns(int count) {
        for (int i = 0; i < count; i++) {
            turn();
        }
    }

    Outcome outcome() {
        return target.outcome().orElseThrow(() -> new AssertionError("goes on: " + log));
    }

    <T extends Message> T last(Class<T> type) {
        return received.reversed().stream().filter(type::isInstance).map(type::cast).findFirst()
                .orElseThrow(() -> new AssertionError("no " + type.getSimpleName() + ": " + log));
    }

    long heard(Class<? extends Message> type) {
        return received.stream().filter(type::isInstance).count();
    }

    boolean recorded(JournalState state) {
        return journal.states().contains(state);
    }

    private Journal openJournal(UUID id) throws IOException {
        if (journalFailure != null) {
            throw journalFailure;
        }
        log.add("target.journal of " + id.getMostSignificantBits());
        return journal;
    }

    @Override
    public void close() {
        target.close();
        guest.close();
        links.close();
    }

    /** What the test does with what arrives. */
    private final class Hand implements LinkHandler {
        @Override
        public void onMessage(Message message) {
            received.add(message);
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new IllegalStateException("a target sends no pages");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            log.add("source.lost");
        }
    }
}
