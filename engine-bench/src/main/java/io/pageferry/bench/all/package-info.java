/** All benchmarks in one run, and the tables that are made of their rows. */
package io.pageferry.bench.all;
