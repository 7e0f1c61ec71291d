/** How one page is written and read: codecs, their choice, batches of pages. */
package io.pageferry.core.codec;
