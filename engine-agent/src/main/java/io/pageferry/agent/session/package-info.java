/** What the agents need of the process that they run in: duty cycles, age, rehearsal. */
package io.pageferry.agent.session;
