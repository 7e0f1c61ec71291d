/** How one page is written and read: the codecs and their choice. */
package io.pageferry.core.codec.page;
