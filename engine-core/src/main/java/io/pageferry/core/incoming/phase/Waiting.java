package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.incoming.session.Reservation;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;

/**
 * Waits for an offer, and promises room for it or refuses.
 *
 * @param context of the migration
 */
public record Waiting(TargetContext context) implements Phase {
    /** Upper half of the feature bits: what the source demands. */
    private static final long MANDATORY = 0xffff_ffff_0000_0000L;

    @Override
    public TargetState state() {
        return TargetState.WAITING;
    }

    @Override
    public Phase on(Message message) {
        return message instanceof Message.Hello hello ? offer(hello) : Phase.super.on(message);
    }

    private Phase offer(Message.Hello hello) {
        TargetParts parts = context.parts();
        context.figures().offered(hello);
        long features = hello.features() & (parts.guest().features() | Message.FEATURE_BACKLOG
                | codecs(hello, parts));
        if ((hello.features() & MANDATORY & ~features) != 0) {
            return refuse(ErrorCode.FEATURE_MISSING,
                    "not every feature demanded is known here", "", null);
        }
        if (!parts.guest().takesDisks() && hello.guest().regions().regions().stream()
                .anyMatch(region -> region.kind() != Region.Kind.RAM)) {
            return refuse(ErrorCode.GUEST_MISMATCH, "what is received here has no disks as"
                    + " regions", "receive disk:PATH there", null);
        }
        try {
            parts.guest().requireFits(hello.guest());
        } catch (GuestException e) {
            return refuse(e.code(), e.getMessage(), e.remedy(), e);
        }
        return Reserved.first(context, new Reservation(hello,
                Math.min(hello.channels(), parts.options().channels()), features));
    }

    /** Asked only where it is offered: the answer may have native code loaded. */
    private static long codecs(Message.Hello hello, TargetParts parts) {
        boolean zstd = (hello.features() & Message.FEATURE_ZSTD) != 0 && ZstdCodec.isAvailable();
        return (zstd ? Message.FEATURE_ZSTD : 0)
                | (parts.guest().readsAtOnce() ? Message.FEATURE_DELTA : 0);
    }

    private Phase refuse(ErrorCode code, String reason, String remedy, IOException cause) {
        context.send(new Message.Failure(code, remedy.isEmpty() ? reason
                : reason + "; " + remedy));
        return new Ended(context, Outcome.of(Result.REFUSED, code, reason, Side.TARGET)
                .withRemedy(remedy).causedBy(cause));
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return new Ended(context, Outcome.of(Result.REFUSED, code, reason, side));
    }

    @Override
    public Phase cancel() {
        context.send(new Message.Cancel(context.epoch(), ErrorCode.CANCELLED,
                "cancelled at the target"));
        return Phase.super.cancel();
    }

    @Override
    public Phase bug(RuntimeException e) {
        return Ended.discarded(context, e);
    }

    @Override
    public Optional<Message> answerToResume() {
        return context.noSession();
    }
}
