/** The phases of a target migration; each carries its data and names the phase after it. */
package io.pageferry.core.incoming.phase;
