/** Ours beside the plainest ways to move the same bytes. */
package io.pageferry.bench.raw;
