/**
 * The wire's byte layout and the Netty link that carries it. Nothing of it is for embedders: the
 * façade of engine-agent opens it.
 */
@SuppressWarnings({"requires-automatic", "module"}) // as in io.pageferry.core
module io.pageferry.transport {
    requires transitive io.pageferry.core;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.tcnative.classes.openssl;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.classes.io_uring;
    requires io.netty.transport.unix.common;
    requires org.agrona;

    exports io.pageferry.transport to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.http to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.local to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.netty to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.netty.alpn to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.netty.http to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.netty.link to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.netty.tls to io.pageferry.agent, io.pageferry.bench;
    exports io.pageferry.transport.wire to io.pageferry.agent, io.pageferry.bench;
}
