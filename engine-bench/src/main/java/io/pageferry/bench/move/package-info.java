/** Whole migrations inside one process, over memory that stays: what several benchmarks move. */
package io.pageferry.bench.move;
