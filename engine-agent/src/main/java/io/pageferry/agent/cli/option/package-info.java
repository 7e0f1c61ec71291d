/** Options of the command line: each is declared once, and turned into what the sessions take. */
package io.pageferry.agent.cli.option;
