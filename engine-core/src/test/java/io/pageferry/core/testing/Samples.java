package io.pageferry.core.testing;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** One well-formed message of every type. */
public final class Samples {
    private Samples() {
    }

    /**
     * Makes one message of each type.
     *
     * @param migrationId where a message names it
     * @param epoch       where a message names it
     * @return the messages, every type exactly once
     */
    public static List<Message> all(UUID migrationId, long epoch) {
        return List.of(
                new Message.Hello(migrationId, 0, 0, 1, 1, guest(), ""),
                new Message.Welcome(new UUID(1, 1), 1, 0, 1, 4),
                new Message.Resume(migrationId, new UUID(1, 1), 2, epoch),
                new Message.ChannelHello(new UUID(1, 1), 1, 0),
                new Message.ChannelReady(1, 0),
                new Message.Ack(1, 0, 1, 5, 0),
                new Message.RoundEnd(0, new long[] {0}),
                new Message.RoundApplied(0),
                new Message.RoundVerified(0),
                new Message.PagesOwed(new long[] {0}),
                new Message.Switchover(epoch),
                new Message.StateChunk(epoch, 0, new byte[] {1}),
                new Message.Complete(epoch, 0, 0, new long[] {0}, new Message.StateSum(0, 0)),
                new Message.Ready(epoch, 12345, 1, 1),
                new Message.Mismatch(epoch, 12345, 1, new long[] {1}),
                new Message.PageChecksumsRequest(0, 1),
                new Message.PageChecksums(0, new int[] {1}),
                new Message.Grant(epoch, true),
                new Message.Running(epoch, 1),
                new Message.Refused(epoch, "refused by the test"),
                new Message.Returned(epoch, "returned by the test"),
                new Message.Cancel(epoch, ErrorCode.CANCELLED, "cancelled by the test"),
                new Message.Status(migrationId, epoch),
                new Message.StatusUnknown(epoch, "unknown to the test"),
                new Message.Farewell(epoch, 2, 1),
                new Message.StreamCredit(0, 1),
                new Message.StreamData(0, new byte[] {1}),
                new Message.StreamEnd(0),
                new Message.Heartbeat(1),
                new Message.MemoryAccess("file"),
                new Message.Failure(ErrorCode.INTERNAL, "failed by the test"));
    }

    private static GuestDescription guest() {
        return new GuestDescription("test", "guest", RegionTable.single("ram", 64 * 4096L),
                64 * 4096L, Map.of());
    }
}
