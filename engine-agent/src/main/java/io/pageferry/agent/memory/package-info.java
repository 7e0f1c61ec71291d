/** Memory of guests in shared memory files, mapped into this process. */
package io.pageferry.agent.memory;
