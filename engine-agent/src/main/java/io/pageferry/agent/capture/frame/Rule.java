package io.pageferry.agent.capture.frame;

import java.util.Locale;

/**
 * Every rule of PROTOCOL.md that a capture can show to be broken, with the section where it stands.
 * An id, once given, stays.
 */
public enum Rule {
    /** A wrong octet in the first eight. */
    PREAMBLE_MAGIC("5"),
    /** The preamble's checksum. */
    PREAMBLE_CHECKSUM("5"),
    /** Lowest and highest version. */
    PREAMBLE_RANGE("5"),
    /** The target answers the source's preamble. */
    PREAMBLE_ORDER("5"),
    /** Frames come behind two preambles that have version 1 in common. */
    VERSION("3"),

    /** The header's checksum. */
    HEADER_CHECKSUM("6"),
    /** The header's reserved bytes. */
    HEADER_RESERVED("6"),
    /** Type 0. */
    TYPE_ZERO("6"),
    /** An unknown type that is not optional. */
    TYPE_UNKNOWN("6"),
    /** Frames are numbered without gaps. */
    FRAME_NUMBER("6"),
    /** A body within the limits of its type. */
    BODY_LENGTH("11"),
    /** How much of a body is summed. */
    SUMMED_LENGTH("6"),
    /** The body's checksum. */
    BODY_CHECKSUM("6"),
    /** A body is exactly its fields. */
    BODY_FIELDS("7"),
    /** What counts is below 2⁶³. */
    NUMBER_RANGE("4"),
    /** A field has a value that is named for it. */
    FIELD_RANGE("7"),
    /** Reserved bytes of a message. */
    FIELD_RESERVED("4"),
    /** How long a text may be. */
    TEXT_LENGTH("11"),
    /** UTF-8. */
    TEXT_UTF8("4"),
    /** No control characters. */
    TEXT_CONTROL("4"),

    /** What a connection begins with. */
    FIRST_MESSAGE("7"),
    /** What may only be first. */
    FIRST_AGAIN("7"),
    /** Which side sends what. */
    MESSAGE_SIDE("7"),
    /** Which connection has what. */
    MESSAGE_PLACE("7"),
    /** Nothing of a session before WELCOME. */
    BEFORE_WELCOME("7"),
    /** Nothing behind FAILURE. */
    AFTER_FAILURE("10"),
    /** Nothing of the migration behind CANCEL. */
    AFTER_CANCEL("10"),
    /** A monotonic clock. */
    HEARTBEAT_CLOCK("7"),
    /** CHALLENGE is the first frame. */
    CHALLENGE_FIRST("12"),
    /** PROOF behind both challenges, the source's first. */
    PROOF_ORDER("12"),
    /** Nothing else before the proofs. */
    PROOF_MISSING("12"),

    /** A region's size. */
    REGION_SIZE("7"),
    /** A region's kind. */
    REGION_KIND("7"),
    /** A region's granule. */
    REGION_GRANULE("7"),
    /** Names of regions are unique. */
    REGION_NAME("7"),
    /** At most 2⁴⁰ pages. */
    REGION_PAGES("7"),
    /** Keys ascend. */
    ATTRIBUTE_ORDER("7"),
    /** Extensions of type 0. */
    EXTENSION_ZERO("7"),
    /** Mandatory extensions that nobody knows. */
    EXTENSION_UNKNOWN("7"),
    /** What a slot may be called. */
    SLOT_NAME("7"),
    /** One slot is named. */
    SLOT_TWICE("7"),
    /** The size of a disk that is copied. */
    DISK_SIZE("7"),

    /** WELCOME answers HELLO or RESUME, once. */
    WELCOME_PLACE("7"),
    /** The generation that WELCOME gives. */
    WELCOME_GENERATION("7"),
    /** The features that hold. */
    WELCOME_FEATURES("3"),
    /** The channels granted. */
    WELCOME_CHANNELS("7"),
    /** Token, features and channels stay. */
    WELCOME_SAME("7"),
    /** RESUME has the session's token. */
    RESUME_TOKEN("7"),
    /** RESUME asks for a generation that is new. */
    RESUME_GENERATION("7"),
    /** RESUME names the highest epoch. */
    RESUME_EPOCH("7"),
    /** CHANNEL_HELLO has a session's token. */
    CHANNEL_TOKEN("7"),
    /** CHANNEL_HELLO has the session's generation. */
    CHANNEL_GENERATION("7"),
    /** A channel below the number granted. */
    CHANNEL_NUMBER("7"),
    /** A channel is attached once per generation. */
    CHANNEL_TWICE("7"),
    /** CHANNEL_READY answers CHANNEL_HELLO, once. */
    CHANNEL_ANSWER("7"),

    /** Streams want the feature STORAGE. */
    STREAM_FEATURE("7"),
    /** One stream for each disk. */
    STREAM_NUMBER("7"),
    /** The source opens a stream. */
    STREAM_OPENING("7"),
    /** Bytes of a stream within its credit. */
    STREAM_CREDIT("7"),
    /** A stream's credit never goes back. */
    STREAM_CREDIT_BACK("7"),
    /** How far a stream's credit may be ahead. */
    STREAM_AHEAD("7"),
    /** Nothing behind STREAM_END. */
    STREAM_ENDED("7"),

    /** No batch before CHANNEL_READY. */
    BATCH_EARLY("7"),
    /** Count, payload, summed length and body length of a batch. */
    BATCH_LENGTHS("8"),
    /** Reserved bytes of a batch. */
    BATCH_RESERVED("8"),
    /** A reference of a codec that has none. */
    BATCH_REFERENCE("8"),
    /** The session's generation. */
    BATCH_GENERATION("8"),
    /** The connection's channel. */
    BATCH_CHANNEL("8"),
    /** Sequences without gaps. */
    BATCH_SEQUENCE("8"),
    /** Batches within the credit. */
    BATCH_CREDIT("8"),
    /** The region is there. */
    BATCH_REGION("8"),
    /** A page inside the region. */
    PAGE_INDEX("8"),
    /** At most 4096 bytes, but for a block of zstd. */
    PAGE_LENGTH("8"),
    /** Codec 0. */
    CODEC_ZERO("8"),
    /** Lengths add up to the payload. */
    BATCH_SUM("8"),
    /** A codec that this version has. */
    CODEC_UNKNOWN("8"),
    /** A length that its codec can have. */
    CODEC_LENGTH("8"),
    /** A codec whose feature holds. */
    CODEC_FEATURE("3"),
    /** A block of zstd has 1 to 15 pages, and ends in its batch. */
    BLOCK_SHAPE("8"),
    /** A difference is that to what was sent of its page last. */
    DELTA_BASE("8"),
    /** A block decodes to its pages. */
    PAGE_BLOCK("8"),
    /** A page has the checksum of its directory. */
    PAGE_CHECKSUM("8"),
    /** Zeros travel by the codec of zeros, and nothing else does. */
    PAGE_ZEROS("9"),
    /** A page once between two barriers. */
    PAGE_TWICE("9"),

    /** ACK is of its connection's channel and generation. */
    ACK_CHANNEL("7"),
    /** Neither number goes back. */
    ACK_BACK("7"),
    /** No more is applied than was sent. */
    ACK_BEYOND("9"),
    /** No more credit than the window. */
    ACK_CREDIT("7"),
    /** No more waits than the window, and nothing is said of it without BACKLOG. */
    ACK_WAITING("7"),
    /** No page of the next round before the barrier. */
    ROUND_ORDER("9"),
    /** Rounds go on with a number that was never used. */
    ROUND_USED("9"),
    /** ROUND_END ends the round that is open, one at a time. */
    ROUND_END_TURN("9"),
    /** ROUND_END names every channel. */
    ROUND_END_CHANNELS("7"),
    /** ROUND_END names the last batches. */
    ROUND_END_SEQUENCES("9"),
    /** ROUND_APPLIED answers ROUND_END. */
    ROUND_APPLIED("9"),
    /** ROUND_VERIFIED is of a round that ended, once. */
    ROUND_VERIFIED("9"),
    /** PAGES_OWED while a barrier waits. */
    OWED_TURN("9"),
    /** Owed pages are in the regions. */
    OWED_PAGE("9"),

    /** One epoch higher for each attempt. */
    SWITCHOVER_EPOCH("2"),
    /** Device state of the epoch that was begun. */
    STATE_PLACE("7"),
    /** Device state without gaps. */
    STATE_OFFSET("7"),
    /** COMPLETE of the epoch that was begun. */
    COMPLETE_PLACE("2"),
    /** Nothing is left at COMPLETE. */
    COMPLETE_LEFT("7"),
    /** COMPLETE's length of the device state. */
    COMPLETE_LENGTH("7"),
    /** COMPLETE's checksum of the device state. */
    COMPLETE_CHECKSUM("7"),
    /** COMPLETE names the last batches. */
    COMPLETE_SEQUENCES("9"),
    /** COMPLETE comes behind the last ROUND_APPLIED. */
    COMPLETE_BARRIER("9"),
    /** The digest is that of what was sent. */
    COMPLETE_DIGEST("7"),
    /** No pages, barrier or state behind COMPLETE. */
    AFTER_COMPLETE("9"),
    /** READY answers COMPLETE, once. */
    READY_PLACE("2"),
    /** READY has COMPLETE's digest. */
    READY_DIGEST("2"),
    /** MISMATCH answers COMPLETE. */
    MISMATCH_PLACE("2"),
    /** MISMATCH has another digest. */
    MISMATCH_EQUAL("2"),
    /** MISMATCH's blocks are all pages. */
    MISMATCH_BLOCKS("7"),
    /** Checksums are asked for behind MISMATCH. */
    CHECKSUMS_PLACE("7"),
    /** Checksums of pages that are there. */
    CHECKSUMS_PAGES("7"),
    /** Checksums that were asked for. */
    CHECKSUMS_ANSWER("7"),
    /** GRANT behind READY. */
    GRANT_READY("2"),
    /** Nothing but questions behind GRANT. */
    AFTER_GRANT("2"),
    /** RUNNING and RETURNED behind GRANT. */
    WORD_GRANTED("2"),
    /** REFUSED behind COMPLETE. */
    REFUSED_PLACE("2"),
    /** One last word in an epoch. */
    WORD_ONCE("2"),
    /** Answers are of the epoch that was asked about. */
    STATUS_EPOCH("2"),
    /** FAREWELL behind the last word. */
    FAREWELL_PLACE("7");

    private final String section;

    Rule(String section) {
        this.section = section;
    }

    /** {@return its name, for ever} */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return the section of PROTOCOL.md where it stands} */
    public String section() {
        return section;
    }
}
