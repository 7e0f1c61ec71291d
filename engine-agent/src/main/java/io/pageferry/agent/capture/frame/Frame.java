package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;

/**
 * One frame whose header and checksums hold.
 *
 * @param type   of it; null for an optional one that this version does not have
 * @param offset where it begins, in what its sender sent on the connection
 * @param summed bytes of the body that its checksum covers
 * @param body   little-endian, from position 0 to limit; the cutter's again with the next frame
 */
public record Frame(FrameType type, long offset, int summed, ByteBuffer body) { }
