/** Manual pages and shell completion, made of the options as they are declared. */
package io.pageferry.agent.cli.manual;
