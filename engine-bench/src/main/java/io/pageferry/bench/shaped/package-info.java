/** Whole migrations over links of a known rate. */
package io.pageferry.bench.shaped;
