package io.pageferry.agent.guest.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.qmp.QmpClient.Command;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What happens to a QEMU guest while it moves: by itself, or by a client of another monitor of it.
 * One thread, but for {@link #requireShape}.
 */
final class QemuWatch {
    /** Block jobs of ours are named so; those of others cannot be taken along. */
    static final String OUR_JOBS = "pageferry";

    private static final String MEMORY = "the memory";
    private static final String VCPUS = "the number of vCPUs";
    private static final String DEVICE = "device ";
    private static final String DRIVE = "drive ";
    private static final String NOTHING = "not there";

    private static final List<Command> OF_STATE = List.of(new Command("query-status", null),
            new Command("query-migrate", null));
    private static final List<Command> OF_SHAPE = List.of(new Command("query-block-jobs", null),
            new Command("query-memory-size-summary", null),
            new Command("query-cpus-fast", null), list("/machine/peripheral"),
            list("/machine/peripheral-anon"), new Command("query-block", null));

    private final QemuControl qemu;
    private final Map<String, String> shape;
    private boolean still;
    private boolean postmigrate;
    private boolean resumedExternally;
    private boolean imagesActive;
    private String ended;

    private QemuWatch(QemuControl qemu, Map<String, String> shape, boolean running) {
        this.qemu = qemu;
        this.shape = shape;
        this.imagesActive = running;
    }

    /** Remembers what the guest consists of. */
    static QemuWatch of(QemuControl qemu) throws QmpException {
        return new QemuWatch(qemu, shapeOf(ask(qemu, OF_SHAPE)), qemu.status().running());
    }

    /** Why it ended, if it did so by itself. */
    Optional<String> ended() {
        hear();
        return Optional.ofNullable(ended);
    }

    /**
     * Has it stand still from now on, also if another client let it go before, and asks in the same
     * breath whether it is in a state to be moved: a paused guest waits for each round trip.
     *
     * @param limit longest wait
     * @throws GuestException when it cannot be moved like this, with what to do
     * @throws QmpException   when QEMU does not stop it
     */
    void stop(Duration limit) throws GuestException, QmpException {
        hear();
        still = true;
        resumedExternally = false;
        List<Command> commands = new ArrayList<>(List.of(new Command("stop", null)));
        commands.addAll(OF_STATE);
        state(qemu.qmp().execute(commands, limit).subList(1, commands.size()));
    }

    /** QEMU's migration saves it: where it stays paused, QEMU calls that postmigrate. */
    void saves() {
        postmigrate = true;
    }

    /**
     * Its devices alone are saved.
     *
     * @return whether it has its images: surely where it ran since they were last given up. A
     *         guest that is found paused may have arrived so, and not have them yet
     */
    boolean givesImagesUp() {
        hear();
        boolean had = imagesActive;
        imagesActive = false;
        return had;
    }

    /** From now on it may run. */
    void letsGo() {
        hear();
        still = false;
        resumedExternally = false;
    }

    /** Whether another client let it go on while it was to stand still. */
    boolean resumedExternally() {
        hear();
        return resumedExternally;
    }

    private void hear() {
        for (QmpClient.Event event = qemu.qmp().pollEvent(); event != null;
                event = qemu.qmp().pollEvent()) {
            switch (event.name()) {
                case "SHUTDOWN" -> ended = ended == null ? shutdown(event.data()) : ended;
                case "GUEST_PANICKED" -> {
                    // With the action "run" it goes on by itself, for example to write a dump.
                    if (!event.data().path("action").asText().equals("run")) {
                        ended = "the guest panicked";
                    }
                }
                case "RESUME" -> {
                    resumedExternally = still;
                    imagesActive = true;
                }
                case "STOP" -> resumedExternally = false;
                default -> { }
            }
        }
    }

    /** What its own reset comes to where QEMU was started with -no-reboot. */
    private static String shutdown(JsonNode data) {
        String reason = data.path("reason").asText();
        return reason.contains("reset") ? "the guest was reset, which ends this QEMU"
                : reason.startsWith("host-") ? "the guest was shut down from outside (" + reason
                        + ")" : "the guest shut down";
    }

    /**
     * Asks whether it is what it was at first, and in a state to be moved.
     *
     * @param stateOnly whether the latter is enough: {@link #requireShape} is asked beside it
     * @throws GuestException when it cannot be moved like this, with what to do
     * @throws QmpException   when QEMU does not answer
     */
    void requireUnchanged(boolean stateOnly) throws GuestException, QmpException {
        List<Command> questions = new ArrayList<>(OF_STATE);
        questions.addAll(stateOnly ? List.of() : OF_SHAPE);
        List<JsonNode> said = ask(qemu, questions);
        state(said.subList(0, OF_STATE.size()));
        if (!stateOnly) {
            shape(said.subList(OF_STATE.size(), said.size()));
        }
    }

    /**
     * Asks only whether it consists of what it did at first: 10 ms where the processors are busy.
     * From any thread.
     *
     * @throws GuestException when it does not, with what to do
     * @throws QmpException   when QEMU does not answer
     */
    void requireShape() throws GuestException, QmpException {
        shape(ask(qemu, OF_SHAPE));
    }

    private void shape(List<JsonNode> said) throws GuestException {
        for (JsonNode job : said.getFirst()) {
            String id = job.path("device").asText();
            if (!id.startsWith(OUR_JOBS)) {
                throw changed("block job " + id + " (" + job.path("type").asText()
                        + ") was started while the guest moved: the target cannot take it over",
                        "wait for it, or end it with block-job-cancel");
            }
        }
        Map<String, String> now = shapeOf(said);
        List<String> names = new ArrayList<>(shape.keySet());
        names.addAll(now.keySet());
        for (String name : names) {
            String before = shape.getOrDefault(name, NOTHING);
            String after = now.getOrDefault(name, NOTHING);
            if (!Objects.equals(before, after)) {
                throw changed(name + " changed while the guest moved: it was " + before
                        + ", and is " + after, remedy(name));
            }
        }
    }

    private void state(List<JsonNode> said) throws GuestException {
        RunState state = RunState.of(said.getFirst().path("status").asText());
        String migration = said.getLast().path("status").asText("");
        boolean foreign = switch (migration) {
            case "", "none", "completed", "failed", "cancelled" -> false;
            default -> true;
        };
        if (foreign) {
            throw changed("another migration of the guest was started meanwhile (it is "
                    + migration + ")", "wait for it, or end it with migrate_cancel");
        }
        switch (state) {
            case RUNNING, PAUSED -> {
                // A guest that was paused before stays paused at the target.
            }
            case POSTMIGRATE -> {
                if (!postmigrate) {
                    throw over("another migration has taken the guest away; here it stands still",
                            "cont it, if it does not run elsewhere");
                }
                throw changed("the guest is paused, and was so when its state was saved: "
                        + QemuInspector.SAVED_ALREADY, QemuInspector.SAVE_AGAIN);
            }
            case SHUTDOWN -> throw over("the guest shut down", "");
            case GUEST_PANICKED -> throw over("the guest panicked", "");
            case IO_ERROR -> throw changed("the guest is paused because a disk failed",
                    "mend the disk and cont it");
            case SAVE_VM, RESTORE_VM -> throw changed("a snapshot of the guest is being taken",
                    "wait for it");
            default -> throw changed("the guest is " + state + " now",
                    "bring it back to running");
        }
    }

    private static GuestException over(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_ENDED, what, remedy);
    }

    private static String remedy(String name) {
        String again = ", and move again to a target that was started like the guest is now";
        return name.equals(MEMORY) ? "let memory alone while it moves" + again
                : name.startsWith(DRIVE) ? "take snapshots and change media before the move or"
                        + " after it" + again
                : "plug nothing while it moves" + again;
    }

    private static GuestException changed(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }

    /** All questions in one go: QEMU answers them within a millisecond. */
    private static List<JsonNode> ask(QemuControl qemu, List<Command> questions)
            throws QmpException {
        return qemu.qmp().execute(questions, QmpClient.COMMAND_LIMIT);
    }

    private static Map<String, String> shapeOf(List<JsonNode> said) {
        Map<String, String> shape = new TreeMap<>();
        JsonNode memory = said.get(1);
        shape.put(MEMORY, (memory.path("base-memory").asLong()
                + memory.path("plugged-memory").asLong() >> 20) + " MiB");
        shape.put(VCPUS, Integer.toString(said.get(2).size()));
        devices(said.get(3), "", shape);
        devices(said.get(4), "#", shape);
        for (JsonNode drive : said.get(5)) {
            String name = drive.path("device").asText("");
            String file = drive.path("inserted").path("file").asText("");
            shape.put(DRIVE + (name.isEmpty() ? drive.path("qdev").asText() : name),
                    file.isEmpty() ? "empty" : file);
        }
        return shape;
    }

    private static Command list(String path) {
        return new Command("qom-list", JsonNodeFactory.instance.objectNode().put("path", path));
    }

    private static void devices(JsonNode list, String prefix, Map<String, String> shape) {
        for (JsonNode one : list) {
            String type = one.path("type").asText();
            if (type.startsWith("child<")) {
                shape.put(DEVICE + prefix + one.path("name").asText(),
                        type.substring("child<".length(), type.length() - 1));
            }
        }
    }
}
