/** Block devices and disk files below the page cache: O_EXCL, O_DIRECT, locks, holes. */
package io.pageferry.agent.host.linux.block;
