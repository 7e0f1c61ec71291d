/** Block devices of this host and what lies on them, and the calls that freeze a file system. */
package io.pageferry.agent.host.linux.block;
