/**
 * Disks of this host as guests: devices and files that are held alone, read and written past the
 * page cache by a few threads, in runs of 1 MiB; who else uses them.
 */
package io.pageferry.agent.host.disk;
