package io.pageferry.core.incoming.phase;

import io.pageferry.core.incoming.session.Receiver;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/** Answers which pages the image has, which differs from what was sent; nothing is loaded. */
public final class Mismatched implements Phase {
    private static final String DIFFERS = "the image differs from what was sent";

    private final Receiving receiving;
    private final Receiver receiver;
    private final long digest;

    Mismatched(Receiving receiving, long digest) {
        this.receiving = receiving;
        this.receiver = receiving.receiver();
        this.digest = digest;
    }

    @Override
    public TargetState state() {
        return receiving.state();
    }

    @Override
    public TargetContext context() {
        return receiving.context();
    }

    @Override
    public Phase begin() {
        long blockPages = Math.ceilDiv(receiver.table().pages(), Message.MAX_BLOCKS);
        context().send(new Message.Mismatch(context().epoch(), digest, blockPages,
                receiver.table().blockDigests(blockPages)));
        context().warn(DIFFERS + "; nothing is loaded");
        return this;
    }

    @Override
    public Phase on(Message message) {
        if (message instanceof Message.PageChecksumsRequest request) {
            Optional<Message> answer = receiver.answer(request);
            answer.ifPresent(context()::send);
            return answer.isPresent() ? this
                    : violated("checksums asked for page " + request.firstPage());
        }
        return Phase.super.on(message);
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return Ended.discarded(context(),
                Outcome.of(Result.FAILED, ErrorCode.DIGEST_MISMATCH, DIFFERS, side),
                new Message.Cancel(context().epoch(), code, reason));
    }

    @Override
    public Phase bug(RuntimeException e) {
        return receiving.bug(e);
    }

    @Override
    public Optional<Message> answerToResume() {
        return context().refusal(DIFFERS);
    }
}
