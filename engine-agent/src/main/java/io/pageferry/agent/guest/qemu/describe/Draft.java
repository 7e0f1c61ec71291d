package io.pageferry.agent.guest.qemu.describe;

import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A command line while it is made: options with what is said above each of them. */
final class Draft {
    private final List<Item> items = new ArrayList<>();
    private final List<String> untold = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();

    /** One option. */
    static final class Item {
        private QemuOption option;
        private final List<String> remarks = new ArrayList<>();

        private Item(QemuOption option) {
            this.option = option;
        }

        QemuOption option() {
            return option;
        }

        List<String> remarks() {
            return remarks;
        }

        void replace(QemuOption other) {
            option = other;
        }

        void remark(String text) {
            remarks.add(text);
        }
    }

    Draft(List<QemuOption> options) {
        options.forEach(option -> items.add(new Item(option)));
    }

    List<Item> items() {
        return List.copyOf(items);
    }

    /** What could not be told. */
    List<String> untold() {
        return untold;
    }

    /** What of the source's command line is not in this one, and why. */
    List<String> leftOut() {
        return leftOut;
    }

    Stream<Item> all(String... names) {
        return items().stream().filter(item -> item.option().is(names));
    }

    boolean has(String... names) {
        return all(names).findAny().isPresent();
    }

    void add(QemuOption option, String why) {
        Item item = new Item(option);
        item.remark(why);
        items.add(item);
    }

    /** Puts an option before the first of some others, or at the end. */
    void insert(QemuOption option, String why, String... before) {
        Item item = new Item(option);
        item.remark(why);
        int at = 0;
        while (at < items.size() && !items.get(at).option().is(before)) {
            at++;
        }
        items.add(at, item);
    }

    void leaveOut(Item item, String why) {
        items.remove(item);
        leftOut.add(RawText.shown(item.option().toString()) + ": " + why);
    }

    void leaveOut(Predicate<QemuOption> which, String why) {
        items().stream().filter(item -> which.test(item.option()))
                .forEach(item -> leaveOut(item, why));
    }

    void cannotTell(String what) {
        untold.add(what);
    }

    /** Changes the last one of those, where there is one. */
    boolean changeLast(Predicate<QemuOption> which, Function<QemuOption, QemuOption> change) {
        Optional<Item> last = items.reversed().stream()
                .filter(item -> which.test(item.option())).findFirst();
        last.ifPresent(item -> item.replace(change.apply(item.option())));
        return last.isPresent();
    }
}
