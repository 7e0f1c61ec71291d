/** The owner of the guest: the journal, what follows from it, recovery, the figures. */
package io.pageferry.core.handover;
