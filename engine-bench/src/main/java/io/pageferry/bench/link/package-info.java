/** Rigs that measure the link alone, without a guest. */
package io.pageferry.bench.link;
