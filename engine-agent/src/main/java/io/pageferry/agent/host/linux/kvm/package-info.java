/**
 * KVM's part of the room with calls below the JVM: thin calls on {@code /dev/kvm}, each of them
 * one ioctl. What a virtual machine is made of is decided above. x86-64 only, because the
 * registers are.
 *
 * <p>Constants and layouts are those of {@code linux/kvm.h} and {@code asm/kvm.h}, and are named
 * as there.
 */
package io.pageferry.agent.host.linux.kvm;
