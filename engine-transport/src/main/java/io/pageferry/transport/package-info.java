/** How the engine's messages and pages travel between two agents. */
package io.pageferry.transport;
