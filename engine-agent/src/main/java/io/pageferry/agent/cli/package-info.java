/** The command line. */
package io.pageferry.agent.cli;
