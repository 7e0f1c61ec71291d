/**
 * The contract of a link as tests that whoever implements {@code SourceLink} and
 * {@code TargetLink} runs against his; in the jar with classifier {@code guest-contract} too.
 */
package io.pageferry.core.testing.link;
