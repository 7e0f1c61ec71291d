/** Warms a JVM up before it moves a guest, and logs what it lacks. */
package io.pageferry.agent.session.warmup;
