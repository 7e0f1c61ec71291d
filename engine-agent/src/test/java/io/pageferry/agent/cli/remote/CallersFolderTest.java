package io.pageferry.agent.cli.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallersFolderTest {
    /** HERE is the folder of who calls. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "web                           | web",
        "workload:8MiB?rate=1MiB/s     | workload:8MiB?rate=1MiB/s",
        "kvm:8MiB                      | kvm:8MiB",
        "libvirt:web?connect=test:///a | libvirt:web?connect=test:///a",
        "qemu:vm.qmp                   | qemu:HERE/vm.qmp",
        "qemu:/run/vm.qmp              | qemu:/run/vm.qmp",
        "image:out/web                 | image:HERE/out/web",
        "disk:a,/dev/sda,b             | disk:HERE/a,/dev/sda,HERE/b",
        "disk:a?format=raw&tracker=bpf | disk:HERE/a?format=raw&tracker=bpf",
        "disk:nbd+unix:///web?socket=s | disk:nbd+unix:///web?socket=HERE/s",
        "process:17?map=m              | process:17?map=HERE/m",
        "process:17                    | process:17",
        "disk:                         | disk:",
        "qemu:a?                       | qemu:HERE/a?",
    })
    void pathsAreThoseOfTheCaller(String given, String meant) {
        String here = Path.of("").toAbsolutePath().toString();
        assertEquals(meant.replace("HERE", here), CallersFolder.guest(given));
    }

    @Test
    void aSocketIsInTheFolderOfTheCallerToo() {
        assertEquals("unix:" + Path.of("a.sock").toAbsolutePath(),
                CallersFolder.address("unix:a.sock"));
        assertEquals("127.0.0.1:4477", CallersFolder.address("127.0.0.1:4477"));
    }
}
