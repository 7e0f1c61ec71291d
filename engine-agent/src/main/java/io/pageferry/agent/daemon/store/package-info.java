/** What a daemon keeps beside its migrations: events, history, the address book. */
package io.pageferry.agent.daemon.store;
