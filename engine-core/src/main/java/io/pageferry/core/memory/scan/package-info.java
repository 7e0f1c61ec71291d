/** How the engine goes through memory: runs without holes, sums and hashes. */
package io.pageferry.core.memory.scan;
