/**
 * What PROTOCOL.md says of preamble, frames and fields, with arithmetic of its own: nothing here
 * or beside it in {@code check} names the core or the transport, whose bytes it is to judge.
 */
package io.pageferry.agent.capture.frame;
