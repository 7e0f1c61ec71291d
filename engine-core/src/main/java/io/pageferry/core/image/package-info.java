/** The memory image at the target: written by one class, read back by another. */
package io.pageferry.core.image;
