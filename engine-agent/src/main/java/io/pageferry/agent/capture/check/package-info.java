/**
 * Checks a capture against PROTOCOL.md: what the frames of all connections say together. As
 * independent of the engine as the package {@code frame}.
 */
package io.pageferry.agent.capture.check;
