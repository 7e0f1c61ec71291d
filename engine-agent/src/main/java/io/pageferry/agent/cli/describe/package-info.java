/** Says of a guest what lets it move, and what its target must be started with. */
package io.pageferry.agent.cli.describe;
