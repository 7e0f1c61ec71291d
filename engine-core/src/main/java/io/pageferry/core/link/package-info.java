/** What the two sides say to each other, and the port of the connection that carries it. */
package io.pageferry.core.link;
