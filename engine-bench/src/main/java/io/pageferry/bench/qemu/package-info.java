/** QEMU guests that tick, moved by ours and by QEMU itself, and watched from outside. */
package io.pageferry.bench.qemu;
