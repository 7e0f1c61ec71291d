/**
 * Parsers against bytes that nobody meant: targets, their corpus, a mutator with a seed, and the
 * lines that a corpus reaches. The same targets run in Jazzer (docs/adr/0039).
 */
package io.pageferry.core.testing.fuzz;
