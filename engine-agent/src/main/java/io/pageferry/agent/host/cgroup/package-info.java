/**
 * Control groups: where they are mounted, which a process is in, what memory they leave it, and how
 * one that was made inside another is left again.
 */
package io.pageferry.agent.host.cgroup;
