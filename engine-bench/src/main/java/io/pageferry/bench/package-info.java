/**
 * Measures the engine, and its peers beside it. Nothing of this module is for embedders, and
 * nothing of it is exported.
 */
package io.pageferry.bench;
