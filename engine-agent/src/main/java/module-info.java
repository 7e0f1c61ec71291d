/**
 * The agents, the guest kinds, the Linux room and the command line. What of it is for embedders is
 * listed in the package {@code io.pageferry.agent}.
 */
@SuppressWarnings({"requires-automatic", "module"}) // as in io.pageferry.core
module io.pageferry.agent {
    requires transitive io.pageferry.core;
    requires io.pageferry.transport;
    requires com.fasterxml.jackson.annotation;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires com.github.luben.zstd_jni;
    requires info.picocli;
    requires io.prometheus.metrics.core;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires java.xml;
    requires org.agrona;
    requires static org.bouncycastle.pkix;
    requires static org.bouncycastle.provider;

    exports io.pageferry.agent.embed;
    exports io.pageferry.agent.guest;
    exports io.pageferry.agent.guest.room;

    exports io.pageferry.agent.bench to io.pageferry.bench;
    exports io.pageferry.agent.client to io.pageferry.bench;
    exports io.pageferry.agent.demo to io.pageferry.bench;
    exports io.pageferry.agent.state.journal to io.pageferry.bench;
    exports io.pageferry.agent.link to io.pageferry.bench;
    exports io.pageferry.agent.host.linux to io.pageferry.bench;
    exports io.pageferry.agent.host.memory to io.pageferry.bench;
    exports io.pageferry.agent.host.process to io.pageferry.bench;
    exports io.pageferry.agent.guest.qemu.qmp to io.pageferry.bench;
    exports io.pageferry.agent.report to io.pageferry.bench;
    exports io.pageferry.agent.session.warmup to io.pageferry.bench;

    opens io.pageferry.agent.cli to info.picocli;
    opens io.pageferry.agent.cli.call to info.picocli;
    opens io.pageferry.agent.cli.describe to info.picocli;
    opens io.pageferry.agent.cli.file to info.picocli;
    opens io.pageferry.agent.cli.guard to info.picocli;
    opens io.pageferry.agent.cli.machine to info.picocli;
    opens io.pageferry.agent.cli.option to info.picocli;
    opens io.pageferry.agent.cli.remote to info.picocli;
    opens io.pageferry.agent.cli.trust to info.picocli;
    opens io.pageferry.agent.cli.watch to info.picocli;
    opens io.pageferry.agent.daemon.store to com.fasterxml.jackson.databind;
    opens io.pageferry.agent.state.journal to com.fasterxml.jackson.databind;

    uses io.pageferry.agent.bench.Benchmark;
    uses io.pageferry.agent.guest.GuestKind;
    uses io.pageferry.core.migration.MigrationListener;

    provides io.pageferry.agent.guest.GuestKind with
            io.pageferry.agent.guest.workload.WorkloadKind,
            io.pageferry.agent.guest.image.ImageKind,
            io.pageferry.agent.guest.disk.DiskKind,
            io.pageferry.agent.guest.machine.MachineKind,
            io.pageferry.agent.guest.qemu.QemuKind,
            io.pageferry.agent.guest.libvirt.LibvirtKind,
            io.pageferry.agent.guest.kvm.KvmKind,
            io.pageferry.agent.guest.process.ProcessKind;
}
