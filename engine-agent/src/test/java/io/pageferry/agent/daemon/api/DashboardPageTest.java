package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The dashboard in a real browser: what it shows of a move, and what can be done there. */
class DashboardPageTest extends InBrowser {
    /** What a canvas is told to write, and in which colour. */
    private static final String NOTE_TEXTS = "window.texts = []; window.colours = new Set();"
            + " const write = CanvasRenderingContext2D.prototype.fillText;"
            + " CanvasRenderingContext2D.prototype.fillText = function(text, ...at) {"
            + "   window.texts.push(text); window.colours.add(this.fillStyle);"
            + "   return write.call(this, text, ...at); }";

    @Test
    void aMoveIsSeenFromItsStartToItsEndAndCancelledThere() throws IOException {
        rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:64MiB\"}");
        open();
        assertFalse(browser.getCurrentUrl().contains("token"), browser.getCurrentUrl());
        String id = rig.submit(NAME, rig, "x", "{\"bandwidth\":\"8Mbit/s\"}");
        await("precopy", By.cssSelector("tbody"));
        await("sends all of the memory for the first time", By.cssSelector("tbody"));
        assertEquals("Moves \u2013 Pageferry", browser.getTitle(), "a name was run");
        browser.findElements(By.partialLinkText("<script>")).getFirst().click();
        await("DIRTY", By.cssSelector(".figures"));
        await("cells", By.cssSelector(".legend"));
        browser.findElement(By.cssSelector("section button.danger")).click();
        say("no");
        assertEquals("running", rig.call("GET", "/v1/migrations/" + id).text("/phase"));
        browser.findElement(By.cssSelector("section button.danger")).click();
        say("yes");
        await("cancelled", By.cssSelector(".figures"));
        assertEquals("cancelled", rig.ended(id).path("result").asText());
        browser.findElement(By.linkText("History")).click();
        await("cancelled", By.cssSelector("tbody"));
        await("waiting", By.cssSelector("tbody"), "Slots");
    }

    @Test
    void limitsAreChangedAndRoundsAreDrawnInTheColoursOfTheSystem() throws IOException {
        rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:64MiB\"}");
        open();
        browser.executeScript(NOTE_TEXTS);
        // It ends when it is told to: the guest writes faster than what is sent.
        String id = rig.submit("workload:64MiB?rate=10MiB/s&set=16MiB&fill=random", rig, "x",
                "{\"bandwidth\":\"40Mbit/s\",\"maxDowntime\":\"1ms\",\"maxRounds\":\"1000\"}");
        await("precopy", By.cssSelector("tbody"));
        browser.findElements(By.partialLinkText("workload")).getFirst().click();
        await("1 rounds ended", By.cssSelector("section[aria-label=Rounds]"));
        List<String> texts = texts();
        assertTrue(texts.containsAll(List.of("0", "1", "4")), texts::toString);
        assertFalse(texts.contains("100"), texts::toString);
        await("which is more than 1 ms", By.cssSelector(".why"));
        WebElement pause = browser.findElement(By.name("maxDowntime"));
        pause.sendKeys("soon\n");
        say("yes");
        await("soon", By.cssSelector(".error"));
        pause.clear();
        pause.sendKeys("2ms\n");
        say("no");
        assertEquals("1ms", rig.call("GET", "/v1/migrations/" + id).text("/limits/maxDowntime"));
        browser.findElement(By.cssSelector("form.limits button")).click();
        say("yes");
        await("(p95) of 2ms", By.cssSelector(".figures"));
        assertEquals("2ms", rig.call("GET", "/v1/migrations/" + id).text("/limits/maxDowntime"));
        browser.executeScript("colours.clear()");
        scheme("dark");
        String text = "#e7eaee";
        new WebDriverWait(browser, LONG).until(any -> browser.executeScript(
                "return colours.has('" + text + "')").equals(true));
        assertEquals("rgb(21, 24, 28)", browser.executeScript(
                "return getComputedStyle(document.body).backgroundColor"));
        rig.call("POST", "/v1/migrations/" + id + "/cancel");
        rig.ended(id);
    }

    @SuppressWarnings("unchecked") // a script that returns texts
    private List<String> texts() {
        return (List<String>) browser.executeScript("return texts");
    }

    private void scheme(String name) {
        browser.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features",
                List.of(Map.of("name", "prefers-color-scheme", "value", name))));
    }
}
