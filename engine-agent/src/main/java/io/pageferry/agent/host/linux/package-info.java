/**
 * The one room with calls below the JVM: shared memory, userfaultfd, PAGEMAP_SCAN, ptrace, pidfd,
 * bpf, and what {@code /proc} shows. Linux only; the injection x86-64 only. What is missing is
 * reported by {@link io.pageferry.agent.host.linux.userfault.KernelProbe}, never by a crash.
 *
 * <p>Constants are those of the kernel's user headers ({@code include/uapi}) and are named as
 * there.
 */
package io.pageferry.agent.host.linux;
