/** Addresses of a machine that is moved away: taken off, and put back where it goes on. */
package io.pageferry.agent.host.machine.address;
