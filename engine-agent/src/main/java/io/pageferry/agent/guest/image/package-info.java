/** A memory image in a file as target. */
package io.pageferry.agent.guest.image;
