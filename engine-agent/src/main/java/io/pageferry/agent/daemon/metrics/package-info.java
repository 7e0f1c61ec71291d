/** What a daemon counts, for Prometheus. */
package io.pageferry.agent.daemon.metrics;
