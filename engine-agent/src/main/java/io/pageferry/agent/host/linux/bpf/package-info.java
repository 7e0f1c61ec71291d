/**
 * Programs in the kernel (bpf(2)), without a library or a compiler: where the fields of its
 * structures are is read from its own description ({@code Btf}), instructions are assembled here,
 * and {@link io.pageferry.agent.host.linux.bpf.BlockTracker} has one of them mark what is written
 * to a disk (docs/adr/0052). All of it ends with its descriptors.
 */
package io.pageferry.agent.host.linux.bpf;
