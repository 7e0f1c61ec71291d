/** The daemon as {@code /v1}: routes, what they read and what they answer. */
package io.pageferry.agent.daemon.api;
