/** The dashboard: its files, and who may open it. */
package io.pageferry.agent.daemon.web;
