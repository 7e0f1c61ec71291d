/**
 * A transport of one's own, as an embedder writes it: both ends of a link within one process, by
 * the ports of {@code io.pageferry.core.link} and nothing else of the engine.
 *
 * <p>What a transport must do is in {@link io.pageferry.core.link.Link},
 * {@link io.pageferry.core.link.SourceLink}, {@link io.pageferry.core.link.TargetLink} and
 * {@link io.pageferry.core.round.PageSink}, and tested by {@code LinkContract} of engine-core's jar
 * {@code guest-contract}. Four things make up the most of it:
 *
 * <ul>
 * <li>Nothing waits: a full queue, and a window that is used up, are return values.
 * <li>What was sent arrives in order, on each channel for itself; the loss is reported once, after
 *     all that arrived, by a poll of its own.
 * <li>A committed batch stays the source's debt until the target acknowledged it and all before it
 *     on that channel; after a loss the debt is handed back.
 * <li>One thread calls all methods of an end; what goes from one end to the other is published.
 * </ul>
 *
 * <p>Here the bytes of a page go from end to end by reference, in memory of this process: there is
 * nothing on the way that a checksum could find out. A transport that sends them anywhere verifies
 * a frame before it delivers it, and lays it out as in docs/PROTOCOL.md where the other end is a
 * Pageferry that is not its own.
 */
package io.pageferry.transport.local;
