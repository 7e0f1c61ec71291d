/** The source's state machine, from the offer to the end of the guest here. */
package io.pageferry.core.outgoing;
