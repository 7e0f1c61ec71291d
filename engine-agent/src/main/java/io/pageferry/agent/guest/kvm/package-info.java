/**
 * {@code kvm:}, a worked example of a virtual machine monitor that links the engine: what
 * docs/EMBEDDING.md walks through. {@link io.pageferry.agent.guest.kvm.Machine} is the monitor and
 * knows nothing of migrations; {@link io.pageferry.agent.guest.kvm.KvmGuest} and {@link
 * io.pageferry.agent.guest.kvm.KvmIncoming} are what it takes to have them.
 */
package io.pageferry.agent.guest.kvm;
