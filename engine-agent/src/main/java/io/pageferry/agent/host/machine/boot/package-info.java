/** What keeps a machine that was moved away from starting beside itself (ADR 0060). */
package io.pageferry.agent.host.machine.boot;
