/**
 * Memory, dirty tracking, codecs, rounds and the migration's state machines. What of it is for
 * embedders is listed in the package {@code io.pageferry.core}.
 */
// Agrona and lz4-java are no modules yet, but name themselves; the modules named in exports are
// compiled after this one.
@SuppressWarnings({"requires-automatic", "module"})
module io.pageferry.core {
    requires com.dynatrace.hash4j;
    requires com.github.luben.zstd_jni;
    requires org.agrona;
    requires org.lz4.java;

    exports io.pageferry.core.codec;
    exports io.pageferry.core.dirty;
    exports io.pageferry.core.link;
    exports io.pageferry.core.memory;
    exports io.pageferry.core.migration;
    exports io.pageferry.core.round;
    exports io.pageferry.core.words;

    exports io.pageferry.core.codec.page to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.image to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.handover to io.pageferry.agent, io.pageferry.bench,
            com.fasterxml.jackson.databind;
    exports io.pageferry.core.link.flow to io.pageferry.transport;
    exports io.pageferry.core.memory.scan to io.pageferry.transport, io.pageferry.bench;
    exports io.pageferry.core.precopy to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.outgoing to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.outgoing.session to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.incoming to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.core.incoming.session to io.pageferry.agent, io.pageferry.bench;
}
