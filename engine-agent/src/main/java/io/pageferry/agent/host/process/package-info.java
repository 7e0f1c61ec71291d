/** How this program starts itself once more. */
package io.pageferry.agent.host.process;
