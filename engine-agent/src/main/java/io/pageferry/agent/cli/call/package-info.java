/** What an agent reads that is no command line: the words of calls, and its file of options. */
package io.pageferry.agent.cli.call;
