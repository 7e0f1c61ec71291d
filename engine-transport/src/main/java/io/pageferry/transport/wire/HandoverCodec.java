package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;

/** The messages of the switchover and what comes after. */
final class HandoverCodec {
    private static final long MAX_U32 = 0xffff_ffffL;

    private static final int DIGEST_CRC32C = 1;

    private HandoverCodec() {
    }

    /** Writes a message of this kind; null for any other. */
    static MessageType write(Message message, Fields.Writer out) {
        switch (message) {
            case Message.Switchover switchover -> {
                out.count("epoch", switchover.epoch(), 0);
                return MessageType.SWITCHOVER;
            }
            case Message.Grant grant -> {
                out.count("epoch", grant.epoch(), 0).u8("run", grant.run() ? 1 : 0, 0, 1)
                        .reserved(7);
                return MessageType.GRANT;
            }
            case Message.Running running -> {
                out.count("epoch", running.epoch(), 0)
                        .count("resume nanos", running.resumeNanos(), 0);
                return MessageType.RUNNING;
            }
            case Message.Refused refused -> {
                writeReason(refused.epoch(), refused.reason(), out);
                return MessageType.REFUSED;
            }
            case Message.Returned returned -> {
                writeReason(returned.epoch(), returned.reason(), out);
                return MessageType.RETURNED;
            }
            case Message.Cancel cancel -> {
                out.count("epoch", cancel.epoch(), 0);
                MessageCodec.writeCode(cancel.code(), out);
                out.reason(cancel.reason(), Message.MAX_REASON_BYTES);
                return MessageType.CANCEL;
            }
            case Message.Farewell farewell -> {
                out.count("epoch", farewell.epoch(), 0)
                        .count("total nanos", farewell.totalNanos(), 0)
                        .count("downtime nanos", farewell.downtimeNanos(), 0);
                return MessageType.FAREWELL;
            }
            default -> {
                return writeProof(message, out);
            }
        }
    }

    private static MessageType writeProof(Message message, Fields.Writer out) {
        switch (message) {
            case Message.StateChunk chunk -> {
                int length = chunk.bytes().length;
                out.count("epoch", chunk.epoch(), 0).count("offset", chunk.offset(), 0)
                        .u32("length", length, 1, Message.MAX_CHUNK_BYTES).reserved(4)
                        .bytes(chunk.bytes());
                return MessageType.STATE_CHUNK;
            }
            case Message.Complete complete -> {
                writeComplete(complete, out);
                return MessageType.COMPLETE;
            }
            case Message.Ready ready -> {
                out.count("epoch", ready.epoch(), 0).bits(ready.digest())
                        .count("walk nanos", ready.walkNanos(), 0)
                        .count("load nanos", ready.loadNanos(), 0);
                return MessageType.READY;
            }
            case Message.Mismatch mismatch -> {
                int blocks = mismatch.blockDigests().length;
                out.count("epoch", mismatch.epoch(), 0).bits(mismatch.digest())
                        .count("pages per block", mismatch.blockPages(), 1)
                        .u32("blocks", blocks, 1, Message.MAX_BLOCKS).reserved(4)
                        .longs(mismatch.blockDigests());
                return MessageType.MISMATCH;
            }
            case Message.PageChecksumsRequest request -> {
                out.count("first page", request.firstPage(), 0)
                        .u32("count", request.count(), 1, Message.MAX_TABLE_PAGES);
                writeDigestKind(out).reserved(2);
                return MessageType.PAGE_CHECKSUMS_REQUEST;
            }
            case Message.PageChecksums table -> {
                out.count("first page", table.firstPage(), 0)
                        .u32("count", table.crcs().length, 1, Message.MAX_TABLE_PAGES);
                writeDigestKind(out).reserved(2).ints(table.crcs());
                return MessageType.PAGE_CHECKSUMS;
            }
            default -> {
                return null;
            }
        }
    }

    private static void writeComplete(Message.Complete complete, Fields.Writer out) {
        int channels = complete.lastSequences().length;
        out.count("epoch", complete.epoch(), 0).bits(complete.digest())
                .count("pages left", complete.leftPages(), 0)
                .count("state length", complete.state().length(), 0)
                .u32("state checksum", complete.state().crc32c(), 0, MAX_U32)
                .u16("channels", channels, 1, Message.MAX_CHANNELS);
        writeDigestKind(out).counts("last sequence", complete.lastSequences());
    }

    /** The only kind of this version: CRC32C, of one page (2⁰) each. */
    private static Fields.Writer writeDigestKind(Fields.Writer out) {
        return out.u8("digest kind", DIGEST_CRC32C, 0, DIGEST_CRC32C)
                .u8("pages per checksum", 0, 0, 0);
    }

    private static void readDigestKind(Fields.Reader in) throws WireException {
        in.u8("digest kind", DIGEST_CRC32C, DIGEST_CRC32C);
        in.u8("pages per checksum", 0, 0);
    }

    private static void writeReason(long epoch, String reason, Fields.Writer out) {
        out.count("epoch", epoch, 0).reason(reason, Message.MAX_REASON_BYTES);
    }

    static Message read(MessageType type, Fields.Reader in) throws WireException {
        return switch (type) {
            case SWITCHOVER -> new Message.Switchover(in.count("epoch", 0));
            case GRANT -> {
                long epoch = in.count("epoch", 0);
                boolean run = in.u8("run", 0, 1) == 1;
                in.reserved(7);
                yield new Message.Grant(epoch, run);
            }
            case RUNNING -> new Message.Running(in.count("epoch", 0), in.count("resume nanos", 0));
            case REFUSED -> new Message.Refused(in.count("epoch", 0), MessageCodec.readReason(in));
            case RETURNED ->
                    new Message.Returned(in.count("epoch", 0), MessageCodec.readReason(in));
            case CANCEL -> {
                long epoch = in.count("epoch", 0);
                ErrorCode code = MessageCodec.readCode(in);
                yield new Message.Cancel(epoch, code, MessageCodec.readReason(in));
            }
            case FAREWELL -> new Message.Farewell(in.count("epoch", 0),
                    in.count("total nanos", 0), in.count("downtime nanos", 0));
            default -> readProof(type, in);
        };
    }

    private static Message readProof(MessageType type, Fields.Reader in) throws WireException {
        return switch (type) {
            case STATE_CHUNK -> readChunk(in);
            case COMPLETE -> readComplete(in);
            case READY -> new Message.Ready(in.count("epoch", 0), in.bits("digest"),
                    in.count("walk nanos", 0), in.count("load nanos", 0));
            case MISMATCH -> {
                long epoch = in.count("epoch", 0);
                long digest = in.bits("digest");
                long pages = in.count("pages per block", 1);
                int blocks = (int) in.u32("blocks", 1, Message.MAX_BLOCKS);
                in.reserved(4);
                yield new Message.Mismatch(epoch, digest, pages, in.longs("blocks", blocks));
            }
            case PAGE_CHECKSUMS_REQUEST -> {
                long first = in.count("first page", 0);
                int count = (int) in.u32("count", 1, Message.MAX_TABLE_PAGES);
                readDigestKind(in);
                in.reserved(2);
                yield new Message.PageChecksumsRequest(first, count);
            }
            case PAGE_CHECKSUMS -> {
                long first = in.count("first page", 0);
                int count = (int) in.u32("count", 1, Message.MAX_TABLE_PAGES);
                readDigestKind(in);
                in.reserved(2);
                yield new Message.PageChecksums(first, in.ints("checksums", count));
            }
            default -> throw WireException.violation("frame type", type + " is no message");
        };
    }

    private static Message readChunk(Fields.Reader in) throws WireException {
        long epoch = in.count("epoch", 0);
        long offset = in.count("offset", 0);
        int length = (int) in.u32("length", 1, Message.MAX_CHUNK_BYTES);
        in.reserved(4);
        return new Message.StateChunk(epoch, offset, in.bytes("state", length));
    }

    private static Message readComplete(Fields.Reader in) throws WireException {
        long epoch = in.count("epoch", 0);
        long digest = in.bits("digest");
        long left = in.count("pages left", 0);
        long length = in.count("state length", 0);
        long crc = in.u32("state checksum", 0, MAX_U32);
        int channels = in.u16("channels", 1, Message.MAX_CHANNELS);
        readDigestKind(in);
        return new Message.Complete(epoch, digest, left, in.counts("last sequence", channels),
                new Message.StateSum(length, crc));
    }
}
