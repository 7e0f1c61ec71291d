/**
 * For who links the engine into a program of his own: moves a guest that lives in that program,
 * with everything that the commands have around a migration.
 */
package io.pageferry.agent.embed;
