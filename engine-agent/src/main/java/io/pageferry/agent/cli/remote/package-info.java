/** The commands that ask an agent of this host, and what the other commands do by it. */
package io.pageferry.agent.cli.remote;
