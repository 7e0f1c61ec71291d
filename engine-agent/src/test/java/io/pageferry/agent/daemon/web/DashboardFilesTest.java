package io.pageferry.agent.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The dashboard is its own files and asks nobody else. */
class DashboardFilesTest {
    private static final Pattern NAMED = Pattern.compile(
            "(?:from |import |href=\"|src=\"|@import |url\\()['\"]?([^'\"#) ;>]+)");

    /** uPlot 1.6.32 as its authors published it, and its licence. */
    private static final Map<String, String> VENDORED = Map.of(
            "vendor/uPlot.esm.js", "5dd9b3281aa64b461b42d9945f6adb26"
                    + "49d346502b12281a9ae0d46599a80eba",
            "vendor/uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b1"
                    + "14f646ffd9a0bb74f049b0a00135fa04",
            "vendor/uPlot.LICENSE", "8f989229699b4fe2f1a0432d0e9edc33"
                    + "8a8a911e250e2d1b01ecd770a5f5b1bd");

    @Test
    void whatAFileNamesIsThereToo() throws IOException {
        for (String name : List.of("index.html", "style.css", "app.js", "api.js", "chart.js",
                "dom.js", "map.js", "move.js", "moves.js", "slots.js", "words.js")) {
            String text = new String(read(name), StandardCharsets.UTF_8);
            assertFalse(text.contains("://"), name + " names another server");
            assertFalse(text.contains("innerHTML"), name + " takes text for a page");
            Matcher named = NAMED.matcher(text);
            while (named.find()) {
                String other = named.group(1).replaceFirst("^\\./", "");
                if (!other.startsWith("data:") && other.contains(".")) {
                    assertTrue(whole("GET", "/" + other).isPresent(), name + " names " + other);
                }
            }
        }
    }

    @Test
    void aBrowserMayRunAndAskNothingElse() {
        for (String path : List.of("/", "/app.js", "/vendor/uPlot.esm.js")) {
            Whole file = whole("GET", path).orElseThrow();
            String policy = file.headers().get("Content-Security-Policy");
            assertTrue(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
            assertFalse(policy.contains("unsafe"), policy);
            assertEquals("nosniff", file.headers().get("X-Content-Type-Options"));
        }
    }

    @Test
    void nothingElseIsServed() {
        for (String path : List.of("/DashboardFiles.class", "/../web/index.html", "//index.html",
                "/vendor/", "/vendor/uPlot.LICENSE", "/v1/health", "/Index.html")) {
            assertTrue(whole("GET", path).isEmpty(), path);
        }
        assertTrue(whole("POST", "/").isEmpty());
    }

    @Test
    void whatOthersWroteIsAsTheyWroteIt() throws IOException, NoSuchAlgorithmException {
        for (Map.Entry<String, String> one : VENDORED.entrySet()) {
            assertEquals(one.getValue(), HexFormat.of().formatHex(
                    MessageDigest.getInstance("SHA-256").digest(read(one.getKey()))),
                    one.getKey());
        }
        assertTrue(new String(read("vendor/uPlot.LICENSE"), StandardCharsets.UTF_8)
                .contains("The MIT License"));
    }

    private static byte[] read(String name) throws IOException {
        try (InputStream in = DashboardFiles.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private static Optional<Whole> whole(String method, String path) {
        return DashboardFiles.answer(new HttpCall(method, path, Map.of(), Map.of(), new byte[0],
                new HttpCall.Caller(0, 0, ""))).map(answer -> (Whole) answer);
    }
}
