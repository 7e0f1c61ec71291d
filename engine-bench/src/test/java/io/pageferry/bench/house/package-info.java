/** The rules of the house: what holds for all sources, and for the launcher. */
package io.pageferry.bench.house;
