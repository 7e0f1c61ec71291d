/** Prints what a target must be started with. */
package io.pageferry.agent.cli.describe;
