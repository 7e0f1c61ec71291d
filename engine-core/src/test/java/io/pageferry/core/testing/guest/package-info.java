/**
 * The contract of a {@link io.pageferry.core.migration.Guest} as tests that whoever implements one
 * runs against it. Uses of the engine what it exports, and JUnit; a jar of its own, classifier
 * {@code guest-contract}.
 */
package io.pageferry.core.testing.guest;
