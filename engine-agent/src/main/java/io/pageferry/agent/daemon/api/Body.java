package io.pageferry.agent.daemon.api;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.CallException.Why;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the body of a call, strictly: what is not understood is refused by its name. */
final class Body {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
    private static final String REMEDY = "GET /v1/openapi.json describes it";

    private final ObjectNode fields;

    private Body(ObjectNode fields) {
        this.fields = fields;
    }

    /** Reads an object that has no other fields than these; an empty body is an empty object. */
    static Body read(byte[] bytes, List<String> known) {
        try {
            JsonNode json = bytes.length == 0 ? JSON.createObjectNode() : JSON.readTree(bytes);
            if (!(json instanceof ObjectNode object)) {
                throw usage("the body is no JSON object");
            }
            object.fieldNames().forEachRemaining(name -> {
                if (!known.contains(name)) {
                    throw usage("'" + name + "' is no field of this body; there are "
                            + String.join(", ", known));
                }
            });
            return new Body(object);
        } catch (JsonProcessingException e) {
            throw usage("the body is no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw usage("the body cannot be read: " + e.getMessage());
        }
    }

    private static CallException usage(String reason) {
        return new CallException(Why.USAGE, reason, REMEDY);
    }

    String required(String name) {
        String text = optional(name, "");
        if (text.isBlank()) {
            throw usage("the field '" + name + "' is missing");
        }
        return text;
    }

    String optional(String name, String otherwise) {
        JsonNode value = fields.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isTextual()) {
            throw usage("the field '" + name + "' is no text");
        }
        return value.textValue();
    }

    boolean flag(String name) {
        JsonNode value = fields.path(name);
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw usage("the field '" + name + "' is neither true nor false");
        }
        return value.asBoolean();
    }

    /** Returns the fields of an object in the body as text; there may be none. */
    Map<String, String> texts(String name) {
        JsonNode value = fields.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Map.of();
        }
        if (!(value instanceof ObjectNode object)) {
            throw usage("the field '" + name + "' is no object");
        }
        Map<String, String> texts = new Body(object).texts();
        texts.values().removeIf(text -> text == null);
        return texts;
    }

    /** Returns all fields as text, null for null. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        fields.properties().forEach(field -> texts.put(field.getKey(),
                text(field.getKey(), field.getValue())));
        return texts;
    }

    /** A number may be written as one, and a switch. */
    private static String text(String name, JsonNode value) {
        if (value.isContainerNode()) {
            throw usage("the field '" + name + "' is neither text nor a number");
        }
        return value.isNull() ? null : value.asText();
    }
}
