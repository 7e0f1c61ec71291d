/** The small process that finishes what a killed agent began. */
package io.pageferry.agent.state.guard;
