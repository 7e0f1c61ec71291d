/** Where control groups are mounted, and which of them a process is in. */
package io.pageferry.agent.cgroup;
