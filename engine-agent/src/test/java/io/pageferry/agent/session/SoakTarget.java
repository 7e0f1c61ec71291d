package io.pageferry.agent.session;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.TargetListener;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.migration.MigrationListener;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;

/**
 * Main program of a target that takes in guests without end, in many slots behind one listener:
 * what arrives is reported and given away, and its slot is made anew. By lines on its standard
 * input it is told how many slots to have ({@code slots 50}), asked for its figures ({@code
 * figures}), and told to end ({@code end}); an input that ends does so too. All guests have 4 MiB.
 */
final class SoakTarget {
    private static final long PAUSE_NANOS = 200_000;

    /** Shorter than usual: a killed source is not waited for longer than a test has patience. */
    private static final long RECONNECT_NANOS = 5_000_000_000L;

    private final Path folder;
    private final StateDirectory directory;
    private final Output output = new Output(new PrintStream(System.out, true,
            StandardCharsets.UTF_8), System.err, true);
    private final Queue<String> orders = new ConcurrentLinkedQueue<>();
    private final List<TargetSlot> slots = new ArrayList<>();
    /** Of the slots that take images. */
    private final Map<TargetSlot, Path> images = new HashMap<>();
    private int made;
    private boolean over;

    private SoakTarget(Path folder) throws IOException {
        this.folder = folder;
        this.directory = StateDirectory.open(folder.resolve("target"));
    }

    /** Serves until its input ends; the one argument is a folder that is there. */
    public static void main(String[] arguments) throws IOException {
        new SoakTarget(Path.of(arguments[0])).serve();
    }

    private static Listener place() {
        return Listener.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Optional.empty());
    }

    private void serve() throws IOException {
        Thread.ofPlatform().daemon().name("orders").start(this::read);
        try (Listener.Open port = place().open(line -> { })) {
            TargetListener listener = new TargetListener(port, directory, line -> { },
                    () -> slots.stream().map(TargetSlot::inbox).toList());
            output.emit(Output.event("listening").put("port",
                    ((InetSocketAddress) port.address().orElseThrow()).getPort()));
            while (!over) {
                obey();
                int work = listener.doWork();
                for (TargetSlot slot : List.copyOf(slots)) {
                    work += drive(slot);
                }
                if (work == 0) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
            listener.onClose();
        } finally {
            CloseHelper.closeAll(slots.stream()
                    .map(slot -> (AutoCloseable) () -> slot.close(false)).toList());
        }
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            lines.lines().forEach(orders::add);
        } catch (IOException e) {
            // The same as its end.
        } finally {
            orders.add("end");
        }
    }

    private void obey() throws IOException {
        String order = orders.poll();
        if (order == null) {
            return;
        }
        if (order.equals("end")) {
            over = true;
        } else if (order.equals("figures")) {
            ObjectNode figures = ProcessFigures.json(folder);
            figures.put("busy", slots.stream().filter(slot -> slot.session().isPresent()).count());
            output.emit(Output.event("figures").setAll(figures));
        } else {
            resize(Integer.parseInt(order.substring("slots ".length())));
            output.emit(Output.event("resized").put("slots", slots.size()));
        }
    }

    private void resize(int wanted) throws IOException {
        while (slots.size() > wanted) {
            TargetSlot last = slots.removeLast();
            images.remove(last);
            last.close(false);
        }
        while (slots.size() < wanted) {
            slots.add(slot());
        }
    }

    /** Every fourth runs the guest here; the others make images, with a guard each. */
    private TargetSlot slot() throws IOException {
        int number = made++;
        Path image = folder.resolve("image-" + number);
        GuestUri uri = GuestUri.parse(number % 4 == 3 ? "workload:4MiB" : "image:" + image);
        TargetOptions usual = TargetOptions.defaults();
        TargetSlot slot = new TargetSlot(new SlotInbox(""), new ReceiveSettings(
                new GuestFactory<>(uri.text(),
                        setup -> GuestKinds.of(uri).openTarget(uri, setup), () -> () -> { },
                        () -> 0),
                place(), false, false, new TargetOptions(usual.window(), usual.grantNanos(),
                        usual.lastWordNanos(), usual.channels(), RECONNECT_NANOS),
                directory.path(), 0, null, null), directory, MigrationListener.silent(),
                () -> false);
        slot.open();
        if (number % 4 != 3) {
            images.put(slot, image);
        }
        return slot;
    }

    private int drive(TargetSlot slot) throws IOException {
        int work = slot.deliver();
        TargetSession session = slot.session().orElse(null);
        if (session == null) {
            return work;
        }
        work += session.doWork();
        if (session.isDone()) {
            conclude(slot, session);
        }
        return work;
    }

    private void conclude(TargetSlot slot, TargetSession session) throws IOException {
        ObjectNode line = Output.event("ended").put("migration", session.id().toString())
                .put("result", session.outcome().result().label())
                .put("reason", session.outcome().reason());
        if (session.counts()) {
            line.set("report", session.result(0).report().json());
        }
        session.onClose();
        if (session.isHere()) {
            Path image = images.remove(slot);
            if (image != null) {
                line.put("image", image.toString());
            }
            slots.remove(slot);
            slot.close(false);
            slots.add(slot());
        } else if (session.hasBegun()) {
            slot.renew();
        } else {
            slot.forget();
        }
        output.emit(line);
    }
}
