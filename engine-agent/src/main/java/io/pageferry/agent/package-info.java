/** The source and the target agent, with everything that touches an operating system. */
package io.pageferry.agent;
