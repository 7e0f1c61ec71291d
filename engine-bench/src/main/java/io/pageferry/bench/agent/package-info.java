/** What agents that serve cost at rest, with many moves at once, and beside who asks them. */
package io.pageferry.bench.agent;
