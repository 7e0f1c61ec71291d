/** Adapts the system that runs, before its disks are moved, and undoes that (ADR 0060). */
package io.pageferry.agent.host.machine.prepare;
