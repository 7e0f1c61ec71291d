/**
 * Makes a CA and certificates of hosts in a folder: {@code pageferry trust}. The only package that
 * names Bouncy Castle, which no move has on its class path.
 */
package io.pageferry.agent.cli.trust;
