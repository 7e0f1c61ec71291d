/** What the journals say to whoever asks later: STATUS and {@code settle}. */
package io.pageferry.agent.state.settle;
