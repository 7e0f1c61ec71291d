package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlacesNamedTest {

    @Test
    void noFileNamesSuchAPlace() {
        List<String> found = Repository.files().stream()
                .flatMap(file -> PlacesNamed.find(
                        Repository.relative(file), Repository.read(file)).stream())
                .toList();
        assertEquals("", String.join("\n", found));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cd /wo" + "rk/x", "\"/ro" + "ot/.m2\"", "https://repo.maven" + ".org/",
        "repo1.maven" + ".org", "FROM ghcr" + ".io/x"})
    void aPlaceIsFound(String line) {
        assertEquals(List.of("a.md:2: " + line), PlacesNamed.find("a.md", "first\n" + line));
    }

    @ParameterizedTest
    @ValueSource(strings = {"target/work/", "${home}/work/", "at the root/of", "maven.apache.org"})
    void otherTextIsLeftAlone(String line) {
        assertEquals(List.of(), PlacesNamed.find("a.md", line));
    }
}
