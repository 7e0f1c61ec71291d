/** Block devices and disk files below the page cache: O_EXCL, O_DIRECT, and what they consist of. */
package io.pageferry.agent.host.linux.block;
