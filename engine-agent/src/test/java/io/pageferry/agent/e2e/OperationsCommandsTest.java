package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command lines of docs/OPERATIONS.md for two hosts, read from there and run as they stand: in
 * two network namespaces, each with a /run and a /dev/shm of its own.
 */
@Sampled
class OperationsCommandsTest {
    private static final Pattern CODE = Pattern.compile("`([^`]*)`");
    private static final String MONITOR = "run/vm1.ferry";

    @TempDir
    Path folder;

    private final List<ProcessMark> guests = new ArrayList<>();
    private Rig rig;
    private TwoHosts hosts;
    private ProcessHandle source;
    private ProcessHandle target;

    @BeforeEach
    void connect() throws IOException {
        E2e.needTracking();
        rig = new Rig(folder);
        hosts = TwoHosts.connect("10.0.0.1/24", "10.0.0.2/24");
        source = hosts.alone(hosts.left());
        target = hosts.alone(hosts.right());
    }

    @AfterEach
    void disconnect() throws IOException {
        if (rig != null) {
            rig.close();
        }
        for (ProcessMark guest : guests) {
            guest.kill();
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    /** The lines of a section, up to the next heading. */
    private static List<String> section(String heading) throws IOException {
        List<String> all = Files.readAllLines(Path.of("../docs/OPERATIONS.md"));
        int first = all.indexOf(heading) + 1;
        assertTrue(first > 0, heading);
        List<String> after = all.subList(first, all.size());
        return after.stream().takeWhile(line -> !line.startsWith("#")).toList();
    }

    /** Runs QEMU on a host, in the background. */
    private ProcessMark start(ProcessHandle host, String name, List<String> words)
            throws IOException {
        Path pid = folder.resolve(name + ".pid");
        Path log = folder.resolve(name + ".log");
        List<String> command = new ArrayList<>(TwoHosts.at(host));
        command.addAll(words);
        command.addAll(List.of("-pidfile", pid.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(log.toFile()).start();
        if (words.contains("-daemonize")) {
            assertEquals(0, TwoHosts.await(process), () -> command + ": " + log);
        } else {
            Poll.until(() -> Files.exists(pid) && Files.size(pid) > 0
                    || !process.isAlive(), () -> "it does not start");
        }
        ProcessMark guest = ProcessMark.of(Long.parseLong(Files.readString(pid).strip()));
        guests.add(guest);
        return guest;
    }

    private Agent run(ProcessHandle host, String line) throws IOException {
        List<String> words = List.of(line.strip().split(" +"));
        assertEquals("pageferry", words.getFirst());
        return rig.start(new Start(TwoHosts.at(host), List.of(), words.subList(1, words.size())));
    }

    private static String condition(ProcessHandle host) throws IOException {
        try (QemuControl qemu = QemuControl.connect(
                Path.of("/proc", Long.toString(host.pid()), "root", MONITOR))) {
            return qemu.status().state().toString();
        }
    }

    private void move() throws IOException {
        List<String> lines = section("### Two hosts, plain QEMU").stream()
                .filter(line -> line.startsWith("    pageferry ")).toList();
        assertEquals(2, lines.size(), lines::toString);
        Agent receive = run(target, lines.getFirst());
        receive.address();
        E2e.assertMoved(run(source, lines.getLast()), receive);
        rig.awaitNothingLeft();
        assertFalse(guests.getFirst().isAlive());
        assertEquals("running", condition(target));
    }

    @Test
    void thePlainOnesMoveAGuest() throws IOException {
        List<String> here = new ArrayList<>();
        List<String> there = new ArrayList<>();
        for (String row : section("### Two hosts, plain QEMU")) {
            String[] cells = row.split(" *\\| *", -1);
            if (cells.length != 4 || !row.contains("`")) {
                continue;
            }
            String words = code(cells[1]);
            here.addAll(split(words));
            there.addAll(split(cells[2].startsWith("the same") ? words : code(cells[2])));
        }
        start(source, "source", here);
        start(target, "target", there);
        assertEquals("running", condition(source));
        assertEquals("inmigrate", condition(target));
        move();
    }

    private static String code(String cell) {
        Matcher code = CODE.matcher(cell);
        return code.find() ? code.group(1) : "";
    }

    private static List<String> split(String words) {
        return words.isEmpty() ? List.of() : List.of(words.split(" "));
    }

    /** What libvirt writes differs in form only; the second monitor is the document's. */
    @Test
    void aCommandLineInTheFormOfLibvirtMovesAGuest() throws IOException {
        Path disk = folder.resolve("disk.img");
        try (RandomAccessFile image = new RandomAccessFile(disk.toFile(), "rw")) {
            image.setLength(1 << 20);
        }
        List<String> arguments = section("### Under libvirt").stream()
                .filter(line -> line.contains("<qemu:arg value="))
                .map(line -> line.replaceAll(".*value='([^']*)'.*", "$1")
                        .replace("/var/lib/libvirt/qemu/", "/run/")).toList();
        assertEquals(List.of("-qmp", "unix:/run/vm1.ferry,server=on,wait=off"), arguments);
        List<String> words = new ArrayList<>(List.of("qemu-system-x86_64",
                "-name", "guest=vm1,debug-threads=on",
                "-machine", "pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram",
                "-accel", "tcg", "-cpu", "qemu64", "-m", "256",
                "-object", "{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\","
                + "\"x-use-canonical-path-for-ramblock-id\":false,\"size\":268435456}",
                "-overcommit", "mem-lock=off", "-smp", "2,sockets=2,cores=1,threads=1",
                "-uuid", "8d1b6f2c-3c0a-4a0e-9f4c-6d9d6a3f1b52", "-display", "none",
                "-no-user-config", "-nodefaults",
                "-chardev", "socket,id=charmonitor,path=/run/libvirt.monitor,server=on,wait=off",
                "-mon", "chardev=charmonitor,id=monitor,mode=control",
                "-rtc", "base=utc", "-no-shutdown", "-boot", "strict=on",
                "-device", "{\"driver\":\"pcie-root-port\",\"port\":8,\"chassis\":1,"
                + "\"id\":\"pci.1\",\"bus\":\"pcie.0\",\"addr\":\"0x1\"}",
                "-blockdev", "{\"driver\":\"file\",\"filename\":\"" + disk
                + "\",\"node-name\":\"libvirt-1-storage\",\"auto-read-only\":true,"
                + "\"discard\":\"unmap\"}",
                "-blockdev", "{\"node-name\":\"libvirt-1-format\",\"read-only\":false,"
                + "\"driver\":\"raw\",\"file\":\"libvirt-1-storage\"}",
                "-device", "{\"driver\":\"virtio-blk-pci\",\"bus\":\"pci.1\",\"addr\":\"0x0\","
                + "\"drive\":\"libvirt-1-format\",\"id\":\"virtio-disk0\",\"bootindex\":1}",
                "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                + "resourcecontrol=deny"));
        words.addAll(arguments);
        start(source, "source", words);
        words.addAll(List.of("-S", "-incoming", "defer"));
        start(target, "target", words);
        move();
    }
}
