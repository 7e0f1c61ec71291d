/** Warms a JVM up before it moves a guest, and says what it lacks. */
package io.pageferry.agent.session.warmup;
