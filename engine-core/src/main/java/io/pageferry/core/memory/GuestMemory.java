package io.pageferry.core.memory;

/**
 * The live memory of a guest at the source: read-only windows on bytes that the guest may change
 * at any moment, so what is read twice may differ.
 */
public interface GuestMemory extends PagedMemory {
}
