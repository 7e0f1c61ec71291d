/**
 * The production code of both sides in one thread under a simulated clock, guest, link, disk and
 * host that dies, all drawn from one seed.
 */
package io.pageferry.core.simulation;
