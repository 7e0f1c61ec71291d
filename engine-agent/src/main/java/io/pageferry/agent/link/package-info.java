/** How a source reaches its target: over TCP, or as who embeds the engine has it. */
package io.pageferry.agent.link;
