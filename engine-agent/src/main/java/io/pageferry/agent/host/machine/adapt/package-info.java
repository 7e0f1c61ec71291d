/**
 * Adapts a system on a cold disk: on an overlay, in namespaces of its own, by the system's own
 * programs; the disk is untouched until all has succeeded (ADR 0060).
 */
package io.pageferry.agent.host.machine.adapt;
