package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The dashboard in a real browser: what it shows of a move, and what can be done there. */
class DashboardPageTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** A name that would run in a page that took it for one. */
    private static final String NAME = "<script>document.title='taken'</script><img src=x>";

    @TempDir
    private Path folder;

    private AgentRig rig;
    private WebDriver browser;

    @BeforeEach
    void start() throws IOException {
        Path book = folder.resolve("guests.json");
        Files.writeString(book, "{\"guests\":[{\"name\":\"" + NAME
                + "\",\"uri\":\"workload:64MiB?rate=1MiB/s&fill=random\"}]}");
        rig = new AgentRig(folder);
        browser = new ChromeDriver(new ChromeDriverService.Builder()
                .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile()).build(),
                new ChromeOptions().setBinary("/usr/bin/chromium").addArguments("--headless=new",
                        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                        "--user-data-dir=" + folder.resolve("browser")));
    }

    @AfterEach
    void end() {
        if (browser != null) {
            browser.quit();
        }
        rig.close();
    }

    @Test
    void aMoveIsSeenFromItsStartToItsEndAndCancelledThere() throws IOException {
        rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:64MiB\"}");
        browser.get(rig.call("POST", "/v1/dashboard").text("/url"));
        await("none", By.tagName("main"));
        assertFalse(browser.getCurrentUrl().contains("token"), browser.getCurrentUrl());
        String id = rig.submit(NAME, rig, "x", "{\"bandwidth\":\"8Mbit/s\"}");
        await("precopy", By.cssSelector("tbody"));
        assertEquals("Moves \u2013 Pageferry", browser.getTitle(), "a name was run");
        browser.findElements(By.partialLinkText("<script>")).getFirst().click();
        await("DIRTY", By.cssSelector(".figures"));
        await("cells", By.cssSelector(".legend"));
        browser.findElement(By.cssSelector("section button.danger")).click();
        browser.findElement(By.cssSelector("dialog button[value=no]")).click();
        assertEquals("running", rig.call("GET", "/v1/migrations/" + id).text("/phase"));
        browser.findElement(By.cssSelector("section button.danger")).click();
        browser.findElement(By.cssSelector("dialog button[value=yes]")).click();
        await("cancelled", By.cssSelector(".figures"));
        assertEquals("cancelled", rig.ended(id).path("result").asText());
        browser.findElement(By.linkText("History")).click();
        await("cancelled", By.cssSelector("tbody"));
        await("waiting", By.cssSelector("tbody"), "Slots");
    }

    private void await(String text, By where, String link) {
        browser.findElement(By.linkText(link)).click();
        await(text, where);
    }

    private void await(String text, By where) {
        new WebDriverWait(browser, LONG).until(seen -> seen.findElements(where).stream()
                .anyMatch(one -> one.getText().toLowerCase(Locale.ROOT)
                        .contains(text.toLowerCase(Locale.ROOT))));
    }
}
