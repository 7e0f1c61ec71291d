/** What the journals answer later: to STATUS and to {@code settle}. */
package io.pageferry.agent.state.settle;
