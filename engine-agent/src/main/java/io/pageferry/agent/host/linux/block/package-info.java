/**
 * Block devices of this host, what lies on them, and the calls that freeze a file system; devices
 * and disk files below the page cache: O_EXCL, O_DIRECT, locks, holes.
 */
package io.pageferry.agent.host.linux.block;
