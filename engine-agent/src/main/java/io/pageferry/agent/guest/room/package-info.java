/**
 * Room for guests that come: what this host has, and what of it was promised to whom. Uses the
 * host's wing alone.
 */
package io.pageferry.agent.guest.room;
