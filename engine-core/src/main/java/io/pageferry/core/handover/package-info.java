/** What a handover needs and leaves: the journal, the last word, the figures. */
package io.pageferry.core.handover;
