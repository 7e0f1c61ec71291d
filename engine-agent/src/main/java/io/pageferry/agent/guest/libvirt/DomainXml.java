package io.pageferry.agent.guest.libvirt;

import static io.pageferry.agent.guest.xml.Xml.child;
import static io.pageferry.agent.guest.xml.Xml.children;

import io.pageferry.agent.guest.xml.Xml;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.words.Printable;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * The description of a domain, as {@code virsh dumpxml --migratable} prints it.
 *
 * @param text as libvirt wrote it
 * @param root its element {@code domain}
 */
record DomainXml(String text, Element root) {
    /** Begins the keys of a source's attributes: a value is too short for a description. */
    private static final String KEY = "libvirt.xml.";
    private static final int PART = 4000;
    /** Of the largest descriptions seen, with hundreds of devices, a tenth. */
    private static final int MOST_BYTES = 1 << 20;
    /** Programs that libvirt starts beside QEMU; folders and devices of the host for the guest. */
    private static final Set<String> FORBIDDEN =
            Set.of("script", "downscript", "binary", "filesystem", "hostdev");

    /**
     * Reads a description.
     *
     * @param text from a peer or a file: nothing in it is trusted
     * @return it
     * @throws GuestException when it is none
     */
    static DomainXml parse(String text) throws GuestException {
        return new DomainXml(text, read(text, "domain"));
    }

    private static Element read(String text, String name) throws GuestException {
        try {
            Element root = Xml.parse(text, name);
            if (root.getNamespaceURI() != null) {
                throw new IOException("it begins with <" + root.getTagName() + ">");
            }
            return root;
        } catch (IOException e) {
            throw notOne(name, e);
        }
    }

    private static GuestException notOne(String name, Exception why) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, "the description of the domain is no "
                + name + " of libvirt: " + Printable.of(why.getMessage()),
                "give one of virsh dumpxml: --xml FILE");
    }

    /** Puts it into attributes of a guest's description: deflated, in letters and digits. */
    Map<String, String> attributes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(bytes)) {
            deflated.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException("an array takes everything", e);
        }
        String whole = Base64.getEncoder().encodeToString(bytes.toByteArray());
        Map<String, String> parts = new TreeMap<>();
        for (int at = 0; at < whole.length(); at += PART) {
            parts.put(KEY + "%03d".formatted(parts.size()),
                    whole.substring(at, Math.min(whole.length(), at + PART)));
        }
        return parts;
    }

    /**
     * Finds the description that a source sent, if it did.
     *
     * @param attributes the source's; nothing in it is trusted
     * @throws GuestException when it is damaged, or longer than {@link #MOST_BYTES}
     */
    static Optional<String> of(Map<String, String> attributes) throws GuestException {
        StringBuilder whole = new StringBuilder();
        new TreeMap<>(attributes).forEach((key, value) -> {
            if (key.startsWith(KEY)) {
                whole.append(value);
            }
        });
        if (whole.isEmpty()) {
            return Optional.empty();
        }
        try (InflaterInputStream inflated = new InflaterInputStream(
                new ByteArrayInputStream(Base64.getDecoder().decode(whole.toString())))) {
            byte[] text = inflated.readNBytes(MOST_BYTES + 1);
            if (text.length > MOST_BYTES) {
                throw new IOException("it has more than " + MOST_BYTES + " bytes");
            }
            return Optional.of(new String(text, StandardCharsets.UTF_8));
        } catch (IOException | IllegalArgumentException e) {
            throw notOne("domain", e);
        }
    }

    String name() {
        return child(root, "name").map(Node::getTextContent).orElse("");
    }

    /** Empty where libvirt is to draw one. */
    String uuid() {
        return child(root, "uuid").map(Node::getTextContent).orElse("");
    }

    String type() {
        return root.getAttribute("type");
    }

    String architecture() {
        return child(root, "os").flatMap(os -> child(os, "type"))
                .map(type -> type.getAttribute("arch")).orElse("");
    }

    String emulator() {
        return child(root, "devices").flatMap(all -> child(all, "emulator"))
                .map(Node::getTextContent).orElse("");
    }

    /** The program of a host's domainCapabilities. */
    static String emulatorOf(String capabilities) throws GuestException {
        return child(read(capabilities, "domainCapabilities"), "path")
                .map(Node::getTextContent).orElse("");
    }

    /**
     * Looks for what a peer must not have started here: programs of its choice, options that
     * libvirt passes to QEMU unread, rights that libvirt would not give, devices of the host; and
     * for what may be read in two ways, as libvirt looks at every element of a name, and at those
     * without a namespace alone.
     *
     * @return the first such thing, for people
     */
    Optional<String> forbidden() {
        for (String one : List.of("name", "uuid", "os", "devices")) {
            if (children(root, one).size() > 1) {
                return Optional.of("several <" + one + ">");
            }
        }
        Optional<Element> devices = child(root, "devices");
        if (devices.isPresent() && children(devices.get(), "emulator").size() > 1) {
            return Optional.of("several <emulator>");
        }
        return forbidden(root);
    }

    private static Optional<String> forbidden(Element in) {
        for (Node one = in.getFirstChild(); one != null; one = one.getNextSibling()) {
            if (one instanceof Element element) {
                boolean foreign = element.getNamespaceURI() != null;
                if (foreign || FORBIDDEN.contains(element.getTagName())
                        || element.getTagName().equals("seclabel")
                        && !element.getAttribute("type").equals("dynamic")) {
                    return Optional.of("<" + element.getTagName() + ">");
                }
                // Notes of other programs, which libvirt keeps and does not read.
                Optional<String> below = element.getTagName().equals("metadata")
                        ? Optional.empty() : forbidden(element);
                if (below.isPresent()) {
                    return below;
                }
            }
        }
        return Optional.empty();
    }

    /** Files and devices that have to be there for QEMU to start. */
    List<String> files() {
        List<String> files = new ArrayList<>(disks());
        child(root, "os").ifPresent(os -> List.of("kernel", "initrd", "loader").forEach(
                what -> child(os, what).map(Node::getTextContent).ifPresent(files::add)));
        files.removeIf(String::isBlank);
        return files;
    }

    /** Files and devices of its disks. */
    List<String> disks() {
        List<String> files = new ArrayList<>();
        child(root, "devices").ifPresent(devices -> children(devices, "disk").forEach(
                disk -> child(disk, "source").ifPresent(source -> List.of("file", "dev").forEach(
                        key -> files.add(source.getAttribute(key))))));
        files.removeIf(String::isBlank);
        return files;
    }

    /** Bridges, networks and devices of this host that its cards are plugged into. */
    List<String> networks() {
        List<String> networks = new ArrayList<>();
        child(root, "devices").ifPresent(devices -> children(devices, "interface").forEach(
                card -> child(card, "source").ifPresent(source -> List.of("bridge", "network",
                        "dev").forEach(key -> networks.add(source.getAttribute(key))))));
        networks.removeIf(String::isBlank);
        return networks;
    }
}
