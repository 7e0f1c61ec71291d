/** Where an agent's API is asked: its socket, who may ask, and the threads that answer. */
package io.pageferry.agent.link.api;
