package io.pageferry.agent.client;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One event of an agent.
 *
 * @param id   from which a reader goes on
 * @param kind of event
 * @param data its fields
 */
public record ApiEvent(String id, String kind, ObjectNode data) { }
