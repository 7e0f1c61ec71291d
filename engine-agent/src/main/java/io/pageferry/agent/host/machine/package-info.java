/**
 * A Linux system in a tree of files, and what of it is tied to the hardware that it was installed
 * on: device names, drivers, names of interfaces, the console.
 */
package io.pageferry.agent.host.machine;
