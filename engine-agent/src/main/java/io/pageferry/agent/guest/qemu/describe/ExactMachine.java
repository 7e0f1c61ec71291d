package io.pageferry.agent.guest.qemu.describe;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import io.pageferry.agent.guest.qemu.start.StartedQemu;
import java.util.Optional;

/** Names what QEMU chose by itself: machine, accelerator, processor, how much memory. */
final class ExactMachine {
    private static final String TYPE = "type";
    private static final String ACCELERATOR = "accel";
    private static final String BY_ITSELF = "not on the source's command line: QEMU's choice there";

    private final Draft draft;
    private final QemuFacts facts;

    ExactMachine(Draft draft, QemuFacts facts) {
        this.draft = draft;
        this.facts = facts;
    }

    void name() {
        draft.leaveOut(one -> one.is("S", "incoming"), "a target has its own below");
        draft.leaveOut(one -> one.is("qmp") && StartedQemu.isMonitor(one.value()),
                "the monitor by which Pageferry started it; a target that it starts has its own");
        draft.leaveOut(one -> one.is("daemonize"), "whoever starts the target says how");
        draft.leaveOut(one -> one.is("loadvm"), "the state comes with the move");
        draft.leaveOut(one -> one.is("preconfig"), "the machine is complete");
        if (draft.has("snapshot")) {
            draft.leaveOut(one -> one.is("snapshot"), "what the guest wrote since lies in files"
                    + " without a name");
            draft.cannotTell("the source has -snapshot: give each disk below a file of the"
                    + " target's own, to be filled by migrate --copy-storage");
        }
        machine();
        accelerator();
        processor();
        memory();
    }

    private static Optional<String> type(QemuOption option) {
        return option.is("machine", "M") ? option.parts().get(TYPE, true) : Optional.empty();
    }

    private void machine() {
        String exact = RawText.of(facts.machine());
        boolean named = false;
        for (Item item : draft.all("machine", "M").toList()) {
            Optional<String> type = type(item.option());
            named |= type.isPresent();
            if (type.isPresent() && !type.get().equals(exact)) {
                OptionValue parts = item.option().parts();
                item.replace(QemuOption.of(item.option().name(), parts.get(TYPE).isPresent()
                        ? parts.with(TYPE, exact) : parts.withFirst(exact)));
                item.remark(RawText.shown(type.get()) + " at the source, and it is a "
                        + facts.machine() + " there");
            }
        }
        if (!named) {
            draft.insert(new QemuOption("machine", exact), BY_ITSELF, "machine", "M");
        }
    }

    private void accelerator() {
        String exact = facts.accelerator();
        draft.leaveOut(one -> one.is(ACCELERATOR) && !one.parts().get(ACCELERATOR, true)
                .orElse("").equals(exact), "QEMU did not take it, but " + exact);
        for (Item item : draft.all("machine", "M").toList()) {
            item.option().parts().get(ACCELERATOR).filter(one -> !one.equals(exact)).ifPresent(
                    listed -> item.replace(QemuOption.of(item.option().name(),
                            item.option().parts().with(ACCELERATOR, exact))));
        }
        boolean named = draft.has(ACCELERATOR, "enable-kvm") || draft.all("machine", "M")
                .anyMatch(item -> item.option().parts().get(ACCELERATOR).isPresent());
        if (!named) {
            draft.insert(new QemuOption(ACCELERATOR, exact), BY_ITSELF, "cpu", "m", "device");
        }
    }

    private void processor() {
        String model = facts.cpu().replaceFirst("-(x86_64|i386|arm|aarch64)-cpu$", "");
        if (!draft.has("cpu")) {
            draft.insert(new QemuOption("cpu", RawText.of(model)), BY_ITSELF, "m", "device");
        }
        draft.all("cpu").filter(item -> item.option().value().matches("(host|max)(,.*)?"))
                .forEach(item -> item.remark("host: the target's processor and QEMU must give the"
                        + " guest the very same; better a named model, at both sides"));
        Optional.ofNullable(facts.layout().get("smp")).filter(smp -> !draft.has("smp"))
                .ifPresent(smp -> draft.insert(new QemuOption("smp", RawText.of(smp)), BY_ITSELF,
                        "m", "device"));
    }

    private void memory() {
        if (!draft.has("m")) {
            draft.insert(new QemuOption("m", (facts.memoryBytes() >> 20) + "M"), BY_ITSELF,
                    "device");
        }
    }
}
