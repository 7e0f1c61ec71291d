/** Control groups: where they are mounted, which a process is in, and what memory they leave it. */
package io.pageferry.agent.host.cgroup;
