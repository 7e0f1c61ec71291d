/** What an agent asks of a kind of guest, and how kinds are found. */
package io.pageferry.agent.guest;
