/** Pages, regions, windows on memory, checksums of pages and the digest of them all. */
package io.pageferry.core.memory;
