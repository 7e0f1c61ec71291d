/** What the two sides send each other, and the port of the connection that carries it. */
package io.pageferry.core.link;
