/** Benchmarks by name; the benchmarks themselves are in engine-bench. */
package io.pageferry.agent.bench;
