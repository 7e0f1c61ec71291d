package io.pageferry.agent.host.machine.address;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PeerUser;
import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Takes the addresses of this machine off its interfaces before another machine gets them, and puts
 * them back where this one goes on. What they were lies in a folder, which is to be in memory: root
 * is frozen meanwhile, and who puts them back may be another process. One thread.
 *
 * <p>An address that a connection of this process ends at stays, and so do those of its network on
 * the same interface, which the kernel may take away together: by it the target is heard.
 *
 * @param ip     how iproute2 is called
 * @param folder for what is to be put back; there only while something is taken off
 * @param used   whether an address has to stay
 */
public record MovedAddresses(List<String> ip, Path folder, Used used) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SECONDS = 10;
    private static final String ADDRESSES = "addresses";
    private static final String ADD = "add.batch";
    private static final String DELETE = "delete.batch";
    private static final String WORDS = "words";
    /** Names and addresses as the kernel and iproute2 write them. */
    private static final String PLAIN = "[A-Za-z0-9_.:@/-]+";

    /** Says which addresses stay. */
    @FunctionalInterface
    public interface Used {
        /**
         * Looks at one.
         *
         * @param address of this host
         * @return whether it has to stay
         * @throws IOException when that cannot be told
         */
        boolean isUsed(InetAddress address) throws IOException;
    }

    private record Address(String device, String local, int bits, String more) {
        InetAddress parsed() throws IOException {
            return InetAddress.getByName(local);
        }

        String line(String verb, boolean whole) {
            return "address " + verb + " " + local + "/" + bits + " dev " + device
                    + (whole ? more : "") + "\n";
        }

        /** Whether the kernel may take the one with the other. */
        boolean isBeside(Address other) throws IOException {
            byte[] mine = parsed().getAddress();
            byte[] theirs = other.parsed().getAddress();
            if (!device.equals(other.device) || bits != other.bits
                    || mine.length != theirs.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit++) {
                if (((mine[bit / 8] ^ theirs[bit / 8]) >> 7 - bit % 8 & 1) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * Makes those of this host; nothing is done.
     *
     * @param folder as above
     * @return them
     */
    public static MovedAddresses ofHost(Path folder) {
        return new MovedAddresses(List.of("ip"), folder, PeerUser::isConnectedAt);
    }

    /**
     * Takes off what nobody here needs to hear the target. Nothing is written outside of the
     * folder.
     *
     * @return what was taken off, and what stays, each as {@code ens8 10.0.0.5/24}
     * @throws IOException when one could not be; all are back then, as far as they could be
     */
    public Result takeOff() throws IOException {
        PrivateFiles.createFolders(folder.getParent());
        PrivateFiles.createFolder(folder);
        boolean whole = false;
        try {
            List<Address> all = all();
            List<Address> kept = new ArrayList<>();
            for (Address one : all) {
                if (used.isUsed(one.parsed())) {
                    kept.add(one);
                }
            }
            List<Address> off = new ArrayList<>();
            List<Address> stay = new ArrayList<>();
            for (Address one : all) {
                (isBesideAny(one, kept) ? stay : off).add(one);
            }
            for (String family : List.of("-4", "-6")) {
                run(routes(family), List.of(family, "route", "save"), null);
            }
            write(ADD, off, "replace", true);
            write(DELETE, off, "del", false);
            if (!off.isEmpty()) {
                // A second one of a network goes with its first: that it is gone is no failure.
                run(folder.resolve(WORDS), List.of("-force", "-batch",
                        folder.resolve(DELETE).toString()), null, 1);
                requireGone(off);
            }
            whole = true;
            return new Result(named(off), named(stay));
        } finally {
            if (!whole) {
                putBack();
            }
        }
    }

    /**
     * What was done.
     *
     * @param off  taken off
     * @param stay the target is heard by them
     */
    public record Result(List<String> off, List<String> stay) { }

    private void requireGone(List<Address> off) throws IOException {
        for (Address one : all()) {
            for (Address gone : off) {
                if (one.device.equals(gone.device) && one.local.equals(gone.local)) {
                    throw new IOException("the address " + one.local + " of " + one.device
                            + " could not be taken off");
                }
            }
        }
    }

    /**
     * Puts back what was taken off, and the routes over it. Does nothing where nothing was.
     *
     * @throws IOException when something could not be put back; it can be tried again
     */
    public void putBack() throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        if (Files.exists(folder.resolve(ADD))) {
            run(folder.resolve(WORDS), List.of("-batch", folder.resolve(ADD).toString()), null);
            for (String family : List.of("-4", "-6")) {
                // Those that are there already are no failure of it.
                run(folder.resolve(WORDS), List.of(family, "route", "restore"), routes(family));
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private Path routes(String family) {
        return folder.resolve("routes" + family);
    }

    private void write(String name, List<Address> addresses, String verb, boolean whole)
            throws IOException {
        StringBuilder lines = new StringBuilder();
        addresses.forEach(one -> lines.append(one.line(verb, whole)));
        Files.writeString(folder.resolve(name), lines);
    }

    private static List<String> named(List<Address> some) {
        return some.stream().map(one -> one.device + " " + one.local + "/" + one.bits).toList();
    }

    private static boolean isBesideAny(Address one, List<Address> kept) throws IOException {
        for (Address other : kept) {
            if (one.isBeside(other)) {
                return true;
            }
        }
        return false;
    }

    /** Those that others of a network see. */
    private List<Address> all() throws IOException {
        Path file = folder.resolve(ADDRESSES);
        run(file, List.of("-json", "address", "show", "scope", "global"), null);
        List<Address> found = new ArrayList<>();
        for (JsonNode device : JSON.readTree(file.toFile())) {
            for (JsonNode info : device.path("addr_info")) {
                String name = device.path("ifname").asText();
                String local = info.path("local").asText();
                String broadcast = info.path("broadcast").asText();
                String label = info.path("label").asText();
                if (name.matches(PLAIN) && local.matches(PLAIN)) {
                    found.add(new Address(name, local, info.path("prefixlen").asInt(),
                            (broadcast.matches(PLAIN) ? " broadcast " + broadcast : "")
                            + (label.matches(PLAIN) ? " label " + label : "")
                            + (local.contains(":") ? " nodad" : "")));
                }
            }
        }
        return found;
    }

    private void run(Path out, List<String> arguments, Path in, int... also) throws IOException {
        List<String> command = new ArrayList<>(ip);
        command.addAll(arguments);
        Path errors = folder.resolve("errors");
        Process process = new ProcessBuilder(command)
                .redirectInput(in == null ? new File("/dev/null") : in.toFile())
                .redirectOutput(Redirect.to(out.toFile()))
                .redirectError(Redirect.to(errors.toFile())).start();
        try {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end in " + SECONDS
                        + " s");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        int code = process.exitValue();
        if (code != 0 && Arrays.stream(also).noneMatch(one -> one == code)) {
            throw new IOException(String.join(" ", command) + " ended with " + code + ": "
                    + Files.readString(errors, StandardCharsets.ISO_8859_1).strip()
                    .replaceAll("\\s+", " "));
        }
    }
}
