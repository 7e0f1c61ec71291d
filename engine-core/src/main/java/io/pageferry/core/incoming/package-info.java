/** The target's state machine, from the offer to the guest running here. */
package io.pageferry.core.incoming;
