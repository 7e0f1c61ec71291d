/** Commands about machines: their systems and what hardware those start on. */
package io.pageferry.agent.cli.machine;
