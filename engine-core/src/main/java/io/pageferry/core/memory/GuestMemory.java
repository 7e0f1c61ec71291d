package io.pageferry.core.memory;

/**
 * The live memory of a guest at the source, where it is mapped: windows on bytes that the guest may
 * change at any moment. The engine only reads them.
 */
public interface GuestMemory extends PageSource, MappedMemory {
}
