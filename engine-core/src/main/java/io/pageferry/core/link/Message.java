package io.pageferry.core.link;

import java.util.UUID;

/**
 * Every control message of the protocol; docs/PROTOCOL.md gives the bytes. Pages travel as
 * batches beside them. Arrays are owned by the message: its maker must not change them afterwards.
 *
 * <p>Epochs number the attempts to switch over, from 1; a session has one generation for each
 * connection of it, from 1; all durations are nanoseconds.
 */
public sealed interface Message {
    /** Most bytes of UTF-8 of a reason; a longer one is cut by its sender. */
    int MAX_REASON_BYTES = 1024;

    /** Most bytes of device state in one chunk. */
    int MAX_CHUNK_BYTES = 256 * 1024;

    /** Most data channels of one session; eight saturate 100 Gbit/s elsewhere. */
    int MAX_CHANNELS = 64;

    /** Most block digests of one {@link Mismatch}. */
    int MAX_BLOCKS = 1024;

    /** Bit of {@link Hello#features}: pages may come in blocks of zstd. */
    long FEATURE_ZSTD = 1L;

    /** Bit of {@link Hello#features}: a page may come as what changed of it. */
    long FEATURE_DELTA = 1L << 1;

    /** Bit of {@link Hello#features}: {@link Ack} says what waits at the target. */
    long FEATURE_BACKLOG = 1L << 2;

    /** The bits of {@link Hello#features} that are codecs: the engine's, not the guest's. */
    long CODEC_FEATURES = FEATURE_ZSTD | FEATURE_DELTA;

    /** Bit of {@link Hello#features}, mandatory: disks are copied in streams. */
    long FEATURE_STORAGE = 1L << 32;

    /** Most streams of one session: disks that are copied. */
    int MAX_STREAMS = 64;

    /** Most bytes of a stream in one message: little, so that others need not wait long. */
    int MAX_STREAM_BYTES = 32 * 1024;

    /** Most bytes of a stream that were sent and not taken yet, in each direction. */
    int STREAM_WINDOW = 512 * 1024;

    /** Most pages of one {@link PagesOwed}. */
    int MAX_OWED_PAGES = 4096;

    /** Most checksums of one {@link PageChecksums}. */
    int MAX_TABLE_PAGES = 64 * 1024;

    /**
     * Source to target, first of a migration: asks it to take a guest.
     *
     * @param migrationId  names the migration for ever
     * @param epoch        highest epoch that the source used for this guest, 0 for none
     * @param features     bits offered; the upper 32 are mandatory, unknown ones refuse
     * @param channels     data channels wanted, 1 … {@link #MAX_CHANNELS}
     * @param verification 0 none, 1 sent, 2 full
     * @param guest        the guest
     * @param slot         of the target that is to take it, a {@link SlotName}; empty where the
     *                     source names none
     */
    record Hello(UUID migrationId, long epoch, long features, int channels, int verification,
            GuestDescription guest, String slot) implements Message { }

    /**
     * Compares two tokens in a time that does not depend on their bits.
     *
     * @param token of a session
     * @param shown by a peer
     * @return whether they are equal
     */
    static boolean sameToken(UUID token, UUID shown) {
        return ((token.getMostSignificantBits() ^ shown.getMostSignificantBits())
                | (token.getLeastSignificantBits() ^ shown.getLeastSignificantBits())) == 0;
    }

    /**
     * Target to source: yes.
     *
     * @param token      128-bit secret of the session; a peer that shows it may attach a channel
     * @param generation of the session, from 1
     * @param features   the bits of {@link Hello} that hold
     * @param channels   data channels granted, 1 … asked
     * @param window     batches that each channel may have unacknowledged
     */
    record Welcome(UUID token, long generation, long features, int channels, int window)
            implements Message { }

    /**
     * Source to target, first on a new control connection after the link was lost: goes on with a
     * migration whose image the target kept.
     *
     * @param migrationId the migration
     * @param token       of the session
     * @param generation  asked for: higher than any that the source asked for or was given
     * @param epoch       highest epoch that the source used, 0 for none; in none of them was the
     *                    target granted the guest
     */
    record Resume(UUID migrationId, UUID token, long generation, long epoch)
            implements Message { }

    /**
     * Source to target, first on a data connection.
     *
     * @param token      of the session
     * @param generation of the session
     * @param channel    0 based
     */
    record ChannelHello(UUID token, long generation, int channel) implements Message { }

    /**
     * Target to source: the channel is attached.
     *
     * @param generation of the session
     * @param channel    0 based
     */
    record ChannelReady(long generation, int channel) implements Message { }

    /**
     * Target to source, on the data channel: applied, and room for more.
     *
     * @param generation of the session
     * @param channel    0 based
     * @param applied    every batch up to this sequence number is in the image
     * @param credit     batches up to this sequence number may be sent
     * @param waiting    batches that have arrived and are not applied yet; 0 without {@link
     *                   #FEATURE_BACKLOG}
     */
    record Ack(long generation, int channel, long applied, long credit, int waiting)
            implements Message { }

    /**
     * Source to target: the barrier. No page of the next round before {@link RoundApplied}.
     *
     * @param round         0 based
     * @param lastSequences per channel, the last batch of this round or of an earlier one
     */
    record RoundEnd(long round, long[] lastSequences) implements Message { }

    /**
     * Target to source: these pages, read back from the image, are not what their batches stated.
     * They are to be sent again in a later round.
     *
     * @param pages global indexes
     */
    record PagesOwed(long[] pages) implements Message { }

    /**
     * Target to source: every batch of the round is in the image and was read back; what of it is
     * owed was named before.
     *
     * @param round 0 based
     */
    record RoundApplied(long round) implements Message { }

    /**
     * Target to source: the walker has read back all that was applied up to a round.
     *
     * @param round 0 based
     */
    record RoundVerified(long round) implements Message { }

    /**
     * Source to target: the guest is being paused.
     *
     * @param epoch of this attempt
     */
    record Switchover(long epoch) implements Message { }

    /**
     * Source to target: a part of the device state.
     *
     * @param epoch  of this attempt
     * @param offset of the first byte in the state
     * @param bytes  1 … {@link #MAX_CHUNK_BYTES}
     */
    record StateChunk(long epoch, long offset, byte[] bytes) implements Message { }

    /**
     * Source to target: all was sent; load and send READY.
     *
     * @param epoch         of this attempt
     * @param digest        of all pages as they were sent
     * @param leftPages     dirty pages and debts left at the source; anything but 0 is refused
     * @param lastSequences per channel, the last batch
     * @param state         length and checksum of the device state
     */
    record Complete(long epoch, long digest, long leftPages, long[] lastSequences, StateSum state)
            implements Message { }

    /**
     * What the device state must be.
     *
     * @param length bytes, 0 for a guest that has none
     * @param crc32c of all its bytes, unsigned 32 bit
     */
    record StateSum(long length, long crc32c) { }

    /**
     * Target to source: the image is proved, the state is loaded, the guest is paused.
     *
     * @param epoch     of this attempt
     * @param digest    of the image as it was read back
     * @param walkNanos spent on reading back the last pages
     * @param loadNanos spent on loading the state
     */
    record Ready(long epoch, long digest, long walkNanos, long loadNanos) implements Message { }

    /**
     * Target to source: the image differs; nothing was loaded.
     *
     * @param epoch        of this attempt
     * @param digest       of the image as it was read back
     * @param blockPages   pages of each block
     * @param blockDigests digest of each block in order, at most {@link #MAX_BLOCKS}
     */
    record Mismatch(long epoch, long digest, long blockPages, long[] blockDigests)
            implements Message { }

    /**
     * Source to target after a mismatch: which checksums do you have?
     *
     * @param firstPage global index
     * @param count     1 … {@link #MAX_TABLE_PAGES}
     */
    record PageChecksumsRequest(long firstPage, int count) implements Message { }

    /**
     * Target to source: the checksums asked for.
     *
     * @param firstPage global index
     * @param crcs      CRC32C of each page
     */
    record PageChecksums(long firstPage, int[] crcs) implements Message { }

    /**
     * Source to target: the guest is the target's now. Sent only after J(GRANTED).
     *
     * @param epoch of this attempt
     * @param run   whether it ran before it was paused; a guest paused before stays paused
     */
    record Grant(long epoch, boolean run) implements Message { }

    /**
     * Target to source: it runs here.
     *
     * @param epoch       of this attempt
     * @param resumeNanos spent on resuming
     */
    record Running(long epoch, long resumeNanos) implements Message { }

    /**
     * Target to source, durable: it never ran here in this epoch and never will.
     *
     * @param epoch  of this attempt
     * @param reason why
     */
    record Refused(long epoch, String reason) implements Message { }

    /**
     * Target to source, durable: it was granted, did not run one instruction, and never will.
     *
     * @param epoch  of this attempt
     * @param reason why
     */
    record Returned(long epoch, String reason) implements Message { }

    /**
     * Either side, before a grant: this attempt is over.
     *
     * @param epoch  of this attempt, 0 before the first
     * @param code   why
     * @param reason why, in words
     */
    record Cancel(long epoch, ErrorCode code, String reason) implements Message { }

    /**
     * Source to target, also first on a connection of its own: what became of an epoch?
     *
     * @param migrationId the migration
     * @param epoch       the epoch granted
     */
    record Status(UUID migrationId, long epoch) implements Message { }

    /**
     * Target to source: no answer yet, or none that is possible here. It is no refusal.
     *
     * @param epoch  the epoch asked for
     * @param reason what is known
     */
    record StatusUnknown(long epoch, String reason) implements Message { }

    /**
     * Source to target: your last word arrived; you may go.
     *
     * @param epoch         the epoch
     * @param totalNanos    of the migration, 0 when unknown
     * @param downtimeNanos of the guest, 0 when unknown
     */
    record Farewell(long epoch, long totalNanos, long downtimeNanos) implements Message { }

    /**
     * Both ways, optional: how the sender reaches the memory of the guest. Only for reports.
     *
     * @param way one word, 1 … {@link #MAX_BYTES} bytes of UTF-8; a longer one is cut by its sender
     */
    record MemoryAccess(String way) implements Message {
        /** Most bytes of {@link #way}. */
        public static final int MAX_BYTES = 32;
    }

    /** Both ways, with {@link #FEATURE_STORAGE}: what belongs to a stream of bytes. */
    sealed interface Streamed extends Message {
        /** {@return the stream, 0 … {@link #MAX_STREAMS} − 1} */
        int stream();
    }

    /**
     * Both ways: up to this many bytes of a stream may be sent in all. The source's first opens
     * the stream.
     *
     * @param stream which
     * @param upTo   bytes since the stream began, at most {@link #STREAM_WINDOW} more than taken
     */
    record StreamCredit(int stream, long upTo) implements Streamed { }

    /**
     * Both ways: the next bytes of a stream.
     *
     * @param stream which
     * @param bytes  1 … {@link #MAX_STREAM_BYTES}
     */
    record StreamData(int stream, byte[] bytes) implements Streamed { }

    /**
     * Both ways: no more bytes come, and none are taken.
     *
     * @param stream which
     */
    record StreamEnd(int stream) implements Streamed { }

    /**
     * Both ways, when nothing else was sent for a while.
     *
     * @param nanos sender's monotonic clock, for the reader of a capture
     */
    record Heartbeat(long nanos) implements Message { }

    /**
     * Shows that both sides have the same secret, before anything else is said. It stays inside the
     * link, as heartbeats do.
     */
    sealed interface Proving extends Message {
        /** Bytes of {@link #bytes}. */
        int BYTES = 32;

        /** {@return what is shown, {@link #BYTES} bytes} */
        byte[] bytes();
    }

    /**
     * Both ways, first on a connection: what the peer's proof is to be made over.
     *
     * @param bytes random, used once
     */
    record Challenge(byte[] bytes) implements Proving { }

    /**
     * Both ways, the source's first: the secret is known.
     *
     * @param bytes made of the secret and both challenges
     */
    record Proof(byte[] bytes) implements Proving { }

    /**
     * Both ways: the sender ends the connection.
     *
     * @param code   why
     * @param reason why, in words, at most {@link #MAX_REASON_BYTES}
     */
    record Failure(ErrorCode code, String reason) implements Message { }
}
