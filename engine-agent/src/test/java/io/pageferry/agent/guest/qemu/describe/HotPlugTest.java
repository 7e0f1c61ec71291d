package io.pageferry.agent.guest.qemu.describe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HotPlugTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode json(String text) throws IOException {
        return JSON.readTree(text.replace('\'', '"'));
    }

    /** What was said of a property is said again, and only that. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'name':'addr','type':'int32','default-value':-1}|25|0x3.1",
        "{'name':'addr','type':'uint64','default-value':0}|4294967296|4294967296",
        "{'name':'rng','type':'link<rng-backend>'}|'/objects/r1'|r1",
        "{'name':'rng','type':'link<rng-backend>'}|'/machine/peripheral/x/own'|-",
        "{'name':'x','type':'bool','default-value':false}|true|on",
        "{'name':'x','type':'bool','default-value':true}|true|-",
        "{'name':'mac','type':'str'}|'52:54:00:12:34:56'|52:54:00:12:34:56",
        "{'name':'serial','type':'str'}|''|-",
        "{'name':'romfile','type':'str'}|''|``",
        "{'name':'bootindex','type':'int32'}|-1|-",
        "{'name':'bootindex','type':'int32'}|2|2",
        "{'name':'backend','type':'child<x>'}|'/machine/x'|-",
        "{'name':'words','type':'list'}|[1]|-",
    })
    void aPropertyIsSaidAsADeviceTakesIt(String property, String value, String said)
            throws IOException {
        assertEquals(said, HotPlug.value(json(property), json(value)).orElse("-"));
    }
}
