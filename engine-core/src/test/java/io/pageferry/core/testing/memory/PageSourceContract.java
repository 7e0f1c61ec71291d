package io.pageferry.core.testing.memory;

import io.pageferry.core.memory.PageSource;

/**
 * What every {@link PageSource} must do. Extend it, say how one is reached and how its guest
 * writes, and run it with JUnit. Each test gets memory of its own.
 */
public abstract class PageSourceContract extends MemoryContract {
    @Override
    protected abstract PageSource memory();

    /**
     * Has the guest write a page.
     *
     * @param page  global index
     * @param bytes 4096 bytes
     */
    @Override
    protected abstract void write(long page, byte[] bytes);
}
