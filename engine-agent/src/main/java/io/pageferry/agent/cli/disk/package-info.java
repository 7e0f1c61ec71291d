/** Disks as commands are given them. */
package io.pageferry.agent.cli.disk;
