/** Events, progress and the report. */
package io.pageferry.agent.report;
