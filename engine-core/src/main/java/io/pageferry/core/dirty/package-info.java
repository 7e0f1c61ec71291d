/** Which pages the guest wrote: bitmaps and the port of trackers. */
package io.pageferry.core.dirty;
