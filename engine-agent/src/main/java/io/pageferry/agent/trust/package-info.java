/**
 * Trust between hosts: a CA in a folder, the certificates that it issues and revokes, and how a
 * host joins (docs/adr/0059). The only package that names Bouncy Castle: commands that move have it
 * not on their class path, and an agent loads none of it before a host joins.
 */
package io.pageferry.agent.trust;
