/** Micro-benchmarks, and whole migrations as JMH sees them: {@code java -jar …-benchmarks.jar}. */
package io.pageferry.bench.jmh;
