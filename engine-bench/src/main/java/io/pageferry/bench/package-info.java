/** Measures the engine, and its peers beside it. */
package io.pageferry.bench;
