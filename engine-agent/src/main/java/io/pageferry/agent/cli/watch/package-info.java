/** The commands that follow what happens at an agent. */
package io.pageferry.agent.cli.watch;
