/** Holds the file systems of disks still for a moment, and lets them go whatever happens. */
package io.pageferry.agent.host.disk.freeze;
