/** What is known of the host that both sides of a move may share. */
package io.pageferry.agent.host;
