package io.pageferry.agent.guest;

/**
 * How the process that runs a guest fared from its resume to the report. Where its page tables do
 * not have the pages that were written for it, each first touch stalls the guest.
 *
 * @param windowNanos so long
 * @param faults      pages that it had to be given, without reading them from anywhere
 * @param cpuNanos    processor time of all its threads
 */
public record AfterResume(long windowNanos, long faults, long cpuNanos) { }
