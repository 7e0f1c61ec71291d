/** How a command ends: by itself, or stopped by a signal. */
package io.pageferry.agent.cli.exit;
