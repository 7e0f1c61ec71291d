/**
 * For an embedder: moves a guest that lives in its own program, with everything that the commands
 * have around a migration.
 */
package io.pageferry.agent.embed;
