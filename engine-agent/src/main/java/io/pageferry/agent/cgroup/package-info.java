/** Control groups as other packages look at them: where they are, and what memory they leave. */
package io.pageferry.agent.cgroup;
