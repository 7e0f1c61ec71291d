/** A move beside peers that mean harm, and what they cost it. */
package io.pageferry.bench.hostile;
