package io.pageferry.agent.daemon.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.support.ui.WebDriverWait;

/** An agent, and a browser that looks at it. */
abstract class InBrowser {
    static final Duration LONG = Duration.ofSeconds(60);

    /** A name that would run in a page that took it for one. */
    static final String NAME = "<script>document.title='taken'</script><img src=x>";

    @TempDir
    private Path folder;

    AgentRig rig;
    ChromeDriver browser;

    @BeforeEach
    final void start() throws IOException {
        Path book = folder.resolve("guests.json");
        Files.writeString(book, "{\"guests\":[{\"name\":\"" + NAME
                + "\",\"uri\":\"workload:64MiB?rate=1MiB/s&fill=random\"}]}");
        rig = new AgentRig(folder);
        browser = new ChromeDriver(new ChromeDriverService.Builder()
                .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile()).build(),
                new ChromeOptions().setBinary("/usr/bin/chromium").addArguments("--headless=new",
                        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                        "--user-data-dir=" + folder.resolve("browser")));
        browser.manage().timeouts().scriptTimeout(LONG);
    }

    @AfterEach
    final void end() {
        if (browser != null) {
            browser.quit();
        }
        rig.close();
    }

    final void open() throws IOException {
        browser.get(rig.call("POST", "/v1/dashboard").text("/url"));
        await("none", By.tagName("main"));
    }

    final void await(String text, By where, String link) {
        browser.findElement(By.linkText(link)).click();
        await(text, where);
    }

    final void await(String text, By where) {
        new WebDriverWait(browser, LONG).until(seen -> seen.findElements(where).stream()
                .anyMatch(one -> one.getText().toLowerCase(Locale.ROOT)
                        .contains(text.toLowerCase(Locale.ROOT))));
    }

    /** Answers the question that is asked before something is done. */
    final void say(String answer) {
        browser.findElement(By.cssSelector("dialog button[value=" + answer + "]")).click();
    }
}
