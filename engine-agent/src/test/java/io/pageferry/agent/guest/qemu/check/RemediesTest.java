package io.pageferry.agent.guest.qemu.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A target that differs is started again as its remedy says, to the letter. */
@Sampled
class RemediesTest {
    private static final Pattern OPTION = Pattern.compile(" (-[a-z]+) ([^ ,]+(?:,[^ ,]+)*)");

    @TempDir
    Path folder;

    private int count;

    private DemoQemu start(List<String> more) throws IOException {
        List<String> all = new ArrayList<>(more);
        all.add("-S");
        return DemoQemu.source(new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, Memory.PLAIN, all), folder.resolve("vm" + ++count));
    }

    private Map<String, String> facts(List<String> more) throws IOException {
        try (DemoQemu qemu = start(more); QemuControl control = qemu.control()) {
            return QemuProbe.read(control).asMap();
        }
    }

    private void assertMended(String key, Map<String, String> source, List<String> target)
            throws IOException {
        QemuFacts.Difference found = QemuFacts.compare(source, facts(target)).stream()
                .filter(one -> one.what().equals(key)).findFirst().orElseThrow();
        List<String> mended = new ArrayList<>(target);
        Matcher option = OPTION.matcher(" " + found.remedy());
        assertTrue(option.find(), found::toString);
        mended.addAll(List.of(option.group(1), option.group(2)));
        List<String> left = QemuFacts.compare(source, facts(mended)).stream()
                .map(QemuFacts.Difference::what).toList();
        assertEquals(List.of(), left, found::toString);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "qemu.machine     | -machine q35                            | -machine pc",
        "qemu.cpu         | -cpu qemu64                             | -cpu EPYC-v3",
        "qemu.vcpus       | -smp 2                                  | -smp 1",
        "qemu.smp         | -smp 1,maxcpus=4,sockets=2,cores=2      | -smp 1,maxcpus=4,cores=4",
        "qemu.device.r0   | -device virtio-rng-pci,id=r0            | -name none",
        "qemu.device.#device[0] | -device virtio-rng-pci            | -name none"})
    void whatATargetLacksIsNamedAsQemuTakesIt(String key, String source, String target)
            throws IOException {
        assertMended(key, facts(List.of(source.split(" "))), List.of(target.split(" ")));
    }

    /** QEMU takes no vCPU without its place. */
    @Test
    void aPluggedVcpuIsNamedWithItsPlace() throws IOException {
        List<String> arguments = List.of("-smp", "1,maxcpus=3");
        Map<String, String> source;
        try (DemoQemu qemu = start(arguments); QemuControl control = qemu.control()) {
            JsonNode free = control.qmp().execute("query-hotpluggable-cpus").path(0);
            ObjectNode plug = free.path("props").deepCopy();
            control.qmp().execute("device_add", plug.put("driver", free.path("type").asText())
                    .put("id", "cpu2"));
            source = QemuProbe.read(control).asMap();
        }
        assertEquals("2", source.get("qemu.vcpus"));
        assertMended("qemu.device.cpu2", source, arguments);
    }
}
