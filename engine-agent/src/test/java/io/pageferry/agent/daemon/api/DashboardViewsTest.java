package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.openqa.selenium.By;

/** All views of the dashboard: for those who cannot see them, and with more than is usual. */
class DashboardViewsTest extends InBrowser {
    /** Of axe-core, the findings that keep somebody from using a page. */
    private static final String SERIOUS = "const done = arguments[0]; axe.run().then(found =>"
            + " done(found.violations.filter(one => ['serious', 'critical'].includes(one.impact))"
            + " .map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | '))))";

    /** Ten moves of which one has a thousand rounds, and more come; counts frames meanwhile. */
    private static final String BUSY = """
            const done = arguments[0];
            const round = n => ({round: n, dirtyPages: 1000 + n % 7, wireBytes: 1e6 + n,
              durationMs: 10, migration: 'm0', side: 'source'});
            const move = n => ({id: 'm' + n, side: 'source', guest: 'guest ' + n, to: 'b:4477',
              phase: 'running', state: 'precopy', round: 1000, dirtyPages: 1000,
              leftPages: Math.floor(1000 * Math.random()), wireBytes: 1e9, wireBytesPerSecond: 1e8,
              dirtyBytesPerSecond: 1e7, predictedDowntimeMs: {p50: 10, p95: 20},
              limits: {maxDowntime: '5ms'}});
            const moves = [...Array(10).keys()];
            const answers = path => path.includes('/rounds')
              ? {rounds: [...Array(1000).keys()].map(round)}
              : path.includes('/log') ? {log: []}
              : path.includes('/map') ? {cells: '1'.repeat(4096), pagesPerCell: 16}
              : path.includes('phase=running') ? {migrations: moves.map(move)}
              : path.includes('phase=') ? {migrations: []} : move(0);
            window.fetch = async path => new Response(JSON.stringify(answers(String(path))));
            const file = name => import(new URL(name, document.baseURI));
            Promise.all([file('move.js'), file('moves.js')]).then(async ([one, list]) => {
              const shown = one.moveView('m0', 'source');
              const all = list.movesView();
              document.getElementById('main').replaceChildren(all.element, shown.element);
              await shown.update();
              await all.update();
              let next = 1000;
              const feed = setInterval(() => {
                shown.on('round', round(next++));
                shown.update();
                all.update();
              }, 100);
              let frames = 0;
              const began = performance.now();
              const frame = now => {
                frames++;
                if (now - began < 3000) {
                  requestAnimationFrame(frame);
                } else {
                  clearInterval(feed);
                  done([frames * 1000 / (now - began),
                    document.querySelectorAll('section[aria-label=Moves] tbody tr').length,
                    document.querySelector('section[aria-label=Rounds] p').textContent, next]);
                }
              };
              requestAnimationFrame(frame);
            }, problem => done([String(problem)]));
            """;

    @Test
    void nothingKeepsAnybodyFromUsingIt() throws IOException {
        rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:64MiB\"}");
        String id = rig.submit(NAME, rig, "x", "{\"bandwidth\":\"1Mbit/s\"}");
        browser.get(rig.call("POST", "/v1/dashboard").text("/url"));
        try (InputStream axe = DashboardViewsTest.class.getResourceAsStream("/axe.min.js")) {
            browser.executeScript(new String(axe.readAllBytes(), StandardCharsets.UTF_8)
                    + "; window.axe = axe");
        }
        for (String scheme : List.of("light", "dark")) {
            browser.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features",
                    List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
            await("precopy", By.cssSelector("tbody"), "Moves");
            assertNothingSerious(scheme + " moves");
            browser.findElements(By.partialLinkText("<script>")).getFirst().click();
            await("cells", By.cssSelector(".legend"));
            assertNothingSerious(scheme + " move");
            browser.findElement(By.cssSelector("section button.danger")).click();
            assertNothingSerious(scheme + " question");
            say("no");
            await("slots of this host", By.tagName("main"), "Slots");
            assertNothingSerious(scheme + " slots");
            await("none", By.tagName("main"), "History");
            assertNothingSerious(scheme + " history");
        }
        rig.call("POST", "/v1/migrations/" + id + "/cancel");
        rig.ended(id);
    }

    private void assertNothingSerious(String where) {
        assertEquals(List.of(), browser.executeAsyncScript(SERIOUS), where);
    }

    @Test
    void aThousandRoundsAndTenMovesAreShown(TestReporter reporter) throws IOException {
        open();
        List<?> found = (List<?>) browser.executeAsyncScript(BUSY);
        assertEquals(4, found.size(), found::toString);
        reporter.publishEntry("frames a second", found.get(0).toString());
        assertEquals(10L, found.get(1));
        assertTrue(found.get(2).toString().startsWith("1000 rounds ended. Round "
                + ((Long) found.get(3) - 1)), found::toString);
    }
}
