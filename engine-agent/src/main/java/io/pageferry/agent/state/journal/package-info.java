/** Journals and locks in a state directory. */
package io.pageferry.agent.state.journal;
