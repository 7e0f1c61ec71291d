package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TestCa;
import io.pageferry.transport.netty.tls.TlsEngine;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The same over TLS, where no damage gets as far as a frame. */
@ParameterizedClass
@EnumSource(value = TlsEngine.class, names = {"NATIVE", "JDK"})
class LinkTroubleOverTlsTest extends LinkTroubleTest {
    @Parameter
    TlsEngine engine;

    @TempDir
    private Path folder;

    @Override
    TransportOptions options() throws Exception {
        Assumptions.assumeTrue(engine.isAvailable(), "BoringSSL does not load here");
        TlsFiles files = new TestCa(folder).issue("host", "dns:localhost", "ip4:127.0.0.1");
        return super.options().withSecurity(new Security(Optional.of(
                new TlsOptions(files, Set.of(), engine)), Admission.open()));
    }

    @Override
    int slower() {
        return 8;
    }

    /** Not even of a page: who damages what is sent has cut the link. */
    @Test
    void oneTurnedBitIsALostLink() throws Exception {
        rig = new LinkRig(options());
        try (Relay relay = new Relay(rig.server.address())) {
            // Behind all handshakes, in the middle of a batch.
            relay.flip(1, 40_000);
            rig.open(relay.address(), 1);
            List<Long> sent = new ArrayList<>();
            for (long page = 0; !relay.hasFlipped(); page++) {
                sent.add(page);
                rig.sendPage(page);
                rig.await("the page", () -> !rig.atTarget.batches.isEmpty()
                        || rig.atTarget.loss != null);
                rig.atTarget.batches.forEach(rig.target::applied);
                rig.atTarget.batches.clear();
            }
            rig.await("both losses",
                    () -> rig.atSource.loss != null && rig.atTarget.loss != null);
            assertEquals(ErrorCode.LINK_LOST, rig.atTarget.loss, rig.atTarget.reason);
            List<Long> owed = new ArrayList<>();
            rig.source.pages().reclaim(owed::add);
            assertTrue(owed.contains(sent.getLast()), owed + " of " + sent);
        }
    }
}
