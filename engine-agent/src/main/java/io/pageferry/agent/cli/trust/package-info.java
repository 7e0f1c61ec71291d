/** {@code pageferry trust}, over {@code agent.trust}. */
package io.pageferry.agent.cli.trust;
