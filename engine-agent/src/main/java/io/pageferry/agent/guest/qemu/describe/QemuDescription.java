package io.pageferry.agent.guest.qemu.describe;

import io.pageferry.agent.guest.StartDescription;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.describe.HostThings.Thing;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import io.pageferry.agent.guest.qemu.start.StartFile;
import io.pageferry.agent.guest.qemu.start.StartFile.Arguments;
import io.pageferry.agent.guest.qemu.start.StartFile.Comment;
import io.pageferry.agent.guest.qemu.start.StartFile.Line;
import io.pageferry.agent.guest.qemu.start.StartFile.Untold;
import io.pageferry.core.migration.GuestException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Describes a running QEMU: what a target must be started with. Changes nothing in it. */
public final class QemuDescription {
    private QemuDescription() {
    }

    /**
     * Describes a QEMU.
     *
     * @param pid     of it
     * @param monitor where its monitor is
     * @param qemu    the monitor
     * @return a start file
     * @throws GuestException where no file can say it
     * @throws QmpException   where the monitor fails
     */
    public static StartDescription of(long pid, Path monitor, QemuControl qemu)
            throws GuestException, QmpException {
        StartedWith started = StartedWith.read(pid, monitor);
        if (!qemu.qmp().execute("query-fdsets").isEmpty()) {
            throw StartedWith.handedIn("query-fdsets names some");
        }
        QemuFacts facts = QemuProbe.read(qemu);
        Draft draft = new Draft(started.options());
        new ExactMachine(draft, facts).name();
        new HotPlug(draft, qemu, facts).compare();
        new Blocks(draft, qemu).compare();
        new BackEnds(draft, qemu).compare();
        HostThings host = new HostThings(started);
        host.makeAbsolute(draft);
        user(draft, started);
        draft.add(new QemuOption("S", null), "waits for the guest");
        draft.add(new QemuOption("incoming", "defer"), "");
        return file(started, facts, draft, host);
    }

    /** A QEMU that root starts would have root's rights, which the source's had not. */
    private static void user(Draft draft, StartedWith started) {
        boolean said = draft.has("runas") || draft.all("run-with")
                .anyMatch(item -> item.option().parts().get("user").isPresent());
        if (started.user() != 0 && !said) {
            draft.insert(new QemuOption("runas", started.user() + ":" + started.group()),
                    "whose QEMU it is at the source", "device");
        }
    }

    private static StartDescription file(StartedWith started, QemuFacts facts, Draft draft,
            HostThings host) {
        List<Line> lines = new ArrayList<>();
        List<String> things = new ArrayList<>();
        comment(lines, "What a target of " + (facts.name().isEmpty() ? "this guest" : facts.name())
                + " is started with (QEMU " + facts.version() + ", " + facts.machine()
                + "): pageferry receive --start FILE");
        comment(lines, "One option a line. Words with blanks stand in '…', or in \"…\" with"
                + " \\\\ \\\" \\n \\t \\r \\xHH.");
        comment(lines, "Below a line 'host …' stands what is the source's host's: change it where"
                + " the target's differs.");
        started.remarks().forEach(text -> comment(lines, text));
        draft.leftOut().forEach(text -> comment(lines, "left out: " + text));
        draft.untold().forEach(text -> lines.add(new Untold(RawText.of(text))));
        if (!draft.untold().isEmpty()) {
            comment(lines, "delete each line with ! when what it asks for is done");
        }
        thing(lines, things, new Thing("program", started.program()));
        lines.add(new Arguments(List.of(started.program())));
        for (Item item : draft.items()) {
            item.remarks().stream().filter(text -> !text.isEmpty())
                    .forEach(text -> comment(lines, text));
            for (Thing one : host.of(item.option())) {
                thing(lines, things, one);
            }
            lines.add(new Arguments(item.option().words()));
        }
        StartFile file = new StartFile(lines);
        return new StartDescription(file.print(), file.arguments().stream().map(RawText::shown)
                .toList(), things, file.untold().stream().map(RawText::shown).toList());
    }

    private static void thing(List<Line> lines, List<String> things, Thing one) {
        comment(lines, one.toString());
        things.add(one.toString().substring("host ".length()));
    }

    private static void comment(List<Line> lines, String text) {
        lines.add(new Comment(RawText.of(text)));
    }
}
