/** Copies of disks that take more than one session of this process. */
package io.pageferry.agent.session.disk;
