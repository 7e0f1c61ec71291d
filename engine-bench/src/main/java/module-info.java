/** Micro-benchmarks, the end-to-end rig and its peers. Nothing of it is for embedders. */
@SuppressWarnings("requires-automatic") // Agrona and JMH are no modules yet
module io.pageferry.bench {
    requires com.fasterxml.jackson.databind;
    requires info.picocli;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.pageferry.agent;
    requires io.pageferry.transport;
    requires java.management;
    requires jdk.management;
    requires jmh.core;
    requires org.agrona;

    provides io.pageferry.agent.bench.Benchmark with
            io.pageferry.bench.agent.AgentBench,
            io.pageferry.bench.all.AllBench,
            io.pageferry.bench.qemu.DowntimeBench,
            io.pageferry.bench.qemu.QemuBench,
            io.pageferry.bench.link.TransportRig,
            io.pageferry.bench.link.StalledBench,
            io.pageferry.bench.move.StartBench,
            io.pageferry.bench.jmh.JmhBench,
            io.pageferry.bench.raw.RawBench,
            io.pageferry.bench.disk.DiskBench,
            io.pageferry.bench.disk.ConvertBench,
            io.pageferry.bench.shaped.MovesBench,
            io.pageferry.bench.shaped.CodecsBench,
            io.pageferry.bench.shaped.LinksBench,
            io.pageferry.bench.shaped.TlsBench,
            io.pageferry.bench.hostile.HostileBench;
}
