package io.pageferry.transport.netty.http;

import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;

/** Cuts requests out of bytes; of what can be read in two ways it takes none. */
final class RequestDecoder extends HttpRequestDecoder {
    /** Bytes of a body in one piece: what a read gives at most, so that nothing is collected. */
    private static final int PIECE_BYTES = 16 << 10;

    RequestDecoder() {
        super(new HttpDecoderConfig().setMaxInitialLineLength(HttpLimits.LINE_BYTES)
                .setMaxHeaderSize(HttpLimits.HEADER_BYTES).setMaxChunkSize(PIECE_BYTES)
                .setStrictLineParsing(true).setUseRfc9112TransferEncoding(true));
    }

    /** A length twice, as who smuggles requests says it. */
    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
        throw new IllegalArgumentException("Transfer-Encoding and Content-Length");
    }
}
