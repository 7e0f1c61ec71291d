/** The phases of a source migration; each carries its data and names the phase after it. */
package io.pageferry.core.outgoing.phase;
