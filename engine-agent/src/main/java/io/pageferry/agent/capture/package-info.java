/**
 * Captures of what goes over connections: the form of the file, docs/CAPTURE.md, its writer and its
 * reader. What is in them is checked in the packages below, which share nothing with the engine.
 */
package io.pageferry.agent.capture;
