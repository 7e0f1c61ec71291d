package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of network interfaces, which are made of the slot of a card: elsewhere they would be other
 * ones, and what is configured by name would be lost. A {@code .link} file keeps each by its MAC
 * (systemd.link(5)).
 */
public final class InterfaceNames {
    private static final String LINKS = "/etc/systemd/network";
    private static final Pattern MAC = Pattern.compile("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}");
    /** What a slot decides, and the plain names of before. */
    private static final Pattern OF_CARD = Pattern.compile("e(?:n[a-z0-9]+|th\\d+|m\\d+)"
            + "|p\\d+p\\d+|wl[a-z0-9]+");
    private static final Pattern IFUPDOWN = Pattern.compile(
            "(?m)^\\s*(?:auto|allow-hotplug|iface|bridge[_-]ports|bond-slaves|slaves)\\s+(.*)$");
    private static final Pattern LINK_MAC =
            Pattern.compile("(?mi)^\\s*(?:Permanent)?MACAddress\\s*=\\s*(\\S+)");
    private static final Pattern LINK_NAME = Pattern.compile("(?m)^\\s*Name\\s*=\\s*(\\S+)");
    private static final Pattern RULE = Pattern.compile(
            "(?m)^[^#\\n]*ATTR\\{address\\}==\"([^\"]+)\"[^\\n]*NAME=\"([^\"]+)\"");
    private static final Pattern ETHERNETS = Pattern.compile(
            "(?ms)^( *)ethernets:\\s*\\n((?:\\1 +\\S[^\\n]*\\n?|\\s*\\n)*)");

    private InterfaceNames() {
    }

    /**
     * Reads a MAC.
     *
     * @param text as given
     * @return it in lower case; empty where it is none
     */
    public static Optional<String> mac(String text) {
        String lower = text.strip().replaceAll("[\"']", "").toLowerCase(Locale.ROOT)
                .replace('-', ':');
        return MAC.matcher(lower).matches() ? Optional.of(lower) : Optional.empty();
    }

    /**
     * Finds the names that a system's configuration has, with the MACs that it says.
     *
     * @param edits of the system
     * @return MACs by name; an empty one where none is said
     * @throws IOException when a file cannot be read
     */
    static Map<String, String> configured(Edits edits) throws IOException {
        Map<String, String> found = new TreeMap<>();
        SystemTree tree = edits.tree();
        List<String> ifupdown = new ArrayList<>(List.of("/etc/network/interfaces"));
        ifupdown.addAll(tree.files("/etc/network/interfaces.d", ""));
        for (String path : ifupdown) {
            for (MatchResult line : results(IFUPDOWN, edits, path)) {
                for (String word : line.group(1).split("\\s+")) {
                    add(found, word, "");
                }
            }
        }
        for (String path : tree.files("/etc/sysconfig/network-scripts", "")) {
            if (path.contains("/ifcfg-")) {
                add(found, value(edits, path, "DEVICE"), value(edits, path, "HWADDR"));
            }
        }
        for (String path : tree.files("/etc/NetworkManager/system-connections",
                ".nmconnection")) {
            add(found, value(edits, path, "interface-name"), value(edits, path, "mac-address"));
        }
        for (String path : tree.files(LINKS, ".network")) {
            add(found, value(edits, path, "Name"), value(edits, path, "MACAddress"));
        }
        for (String path : tree.files("/etc/netplan", ".yaml")) {
            netplan(edits, path, found);
        }
        return found;
    }

    private static void netplan(Edits edits, String path, Map<String, String> found)
            throws IOException {
        for (MatchResult section : results(ETHERNETS, edits, path)) {
            List<String> lines = section.group(2).lines().filter(line -> !line.isBlank()).toList();
            int depth = lines.isEmpty() ? 0 : indent(lines.getFirst());
            String name = "";
            for (String line : lines) {
                String text = line.strip();
                if (indent(line) == depth && text.endsWith(":")) {
                    name = text.substring(0, text.length() - 1).replaceAll("[\"']", "");
                    add(found, name, "");
                } else if (text.startsWith("macaddress:")) {
                    add(found, name, text.substring(text.indexOf(':') + 1));
                }
            }
        }
    }

    private static int indent(String line) {
        return line.length() - line.stripLeading().length();
    }

    private static void add(Map<String, String> found, String name, String mac) {
        if (OF_CARD.matcher(name).matches()) {
            found.merge(name, mac(mac).orElse(""), (old, more) -> old.isEmpty() ? more : old);
        }
    }

    private static List<MatchResult> results(Pattern pattern, Edits edits, String path)
            throws IOException {
        return pattern.matcher(edits.read(path).orElse("")).results().toList();
    }

    private static String value(Edits edits, String path, String key) throws IOException {
        return results(Pattern.compile("(?m)^\\s*" + key + "\\s*=\\s*[\"']?([^\"'\\s]+)"), edits,
                path).stream().map(found -> found.group(1)).findFirst().orElse("");
    }

    /** {@return names that are kept by their MACs already} */
    private static Set<String> kept(Edits edits) throws IOException {
        Set<String> kept = new LinkedHashSet<>();
        for (String path : edits.tree().files(LINKS, ".link")) {
            String text = edits.read(path).orElse("");
            Matcher name = LINK_NAME.matcher(text);
            if (LINK_MAC.matcher(text).find() && name.find()) {
                kept.add(name.group(1));
            }
        }
        for (String path : edits.tree().files("/etc/udev/rules.d", ".rules")) {
            results(RULE, edits, path).forEach(rule -> kept.add(rule.group(2)));
        }
        return kept;
    }

    /**
     * Keeps the names that are configured, and those of the cards that are there.
     *
     * @param edits of the system
     * @param given MACs by name, as the operator says them
     * @param cards MACs by name, as the hardware says them
     * @return whether files were made
     * @throws IOException where the MAC of a configured name is not known
     */
    static boolean adapt(Edits edits, Map<String, String> given, Map<String, String> cards)
            throws IOException {
        Map<String, String> names = configured(edits);
        names.putAll(cards);
        names.keySet().removeAll(kept(edits));
        names.putAll(given);
        boolean plain = BootFiles.hasArgument(edits, "net.ifnames=0");
        boolean made = false;
        for (Map.Entry<String, String> one : names.entrySet()) {
            String name = one.getKey();
            if (!one.getValue().isEmpty()) {
                made |= keep(edits, name, one.getValue());
            } else if (!cards.isEmpty()) {
                edits.warn("the network is configured for " + name + ", which is not there");
            } else if (!plain || !name.startsWith("eth")) {
                throw Refusal.of("the network is configured for " + name + ", whose card would"
                        + " get another name on other hardware, and its MAC is not known",
                        "say which MAC its card will have: --mac " + name + "=52:54:00:…");
            }
        }
        return made;
    }

    private static boolean keep(Edits edits, String name, String mac) throws IOException {
        String path = LINKS + "/10-pageferry-" + name + ".link";
        String text = "# By pageferry: the name stays with the card, in whatever slot.\n"
                + "[Match]\nMACAddress=" + mac + "\nType=ether\n\n[Link]\nName=" + name + "\n";
        boolean made = !edits.read(path).orElse("").equals(text);
        edits.write(path, text, name + " is the card with " + mac);
        return made;
    }
}
