/** The guards of many agents as a service: {@code pageferry guard-service}. */
package io.pageferry.agent.cli.guard;
