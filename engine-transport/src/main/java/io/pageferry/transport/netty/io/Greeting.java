package io.pageferry.transport.netty.io;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.netty.SharedSecret;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import java.util.Optional;

/**
 * What comes before the first message of a connection: the preambles and, where there is a secret,
 * the proofs that both sides know it. The source proves first, so that whoever connects to a target
 * gets nothing that was made with the secret. On the IO thread.
 */
final class Greeting {
    private final boolean client;
    private final Optional<SharedSecret> secret;
    private final FrameWriter writer;
    private byte[] ours;
    private byte[] theirs;

    Greeting(boolean client, Optional<SharedSecret> secret, FrameWriter writer) {
        this.client = client;
        this.secret = secret;
        this.writer = writer;
    }

    /** Sends our preamble. */
    void sayPreamble() {
        writer.writePreamble(Preamble.OURS.encode());
    }

    /** Takes the peer's preamble; {@return whether messages may follow, as without a secret} */
    boolean preamble(Preamble peer) throws WireException {
        if (!client) {
            sayPreamble();
        }
        Preamble.OURS.agree(peer);
        if (secret.isEmpty()) {
            return true;
        }
        ours = SharedSecret.challenge();
        say(new Message.Challenge(ours));
        return false;
    }

    private void say(Message message) {
        writer.write(MessageCodec.encode(message));
        writer.flush();
    }

    /**
     * Takes what the peer proves, or what it says instead.
     *
     * @return whether messages may follow now
     * @throws WireException where it is not let in
     */
    boolean message(Message message) throws WireException {
        return switch (message) {
            case Message.Challenge challenge when theirs == null -> {
                theirs = challenge.bytes();
                if (client) {
                    say(new Message.Proof(proof(true)));
                }
                yield false;
            }
            case Message.Proof proof when theirs != null -> {
                if (!SharedSecret.same(proof(!client), proof.bytes())) {
                    throw refused("the two sides have different secrets: give both a copy of the"
                            + " same --token-file");
                }
                if (!client) {
                    say(new Message.Proof(proof(false)));
                }
                yield true;
            }
            default -> throw refused("the " + (client ? "target has" : "source has")
                    + " to prove that it knows a secret first: give it --token-file");
        };
    }

    /** {@return the error of a peer that proves what this side does not know} */
    Optional<WireException> unwanted() {
        return secret.isPresent() ? Optional.empty() : Optional.of(refused("the peer has a secret"
                + " to prove and this side has none: give --token-file to both, or to neither"));
    }

    private byte[] proof(boolean ofSource) {
        return secret.orElseThrow().proof(ofSource, client ? theirs : ours,
                client ? ours : theirs);
    }

    private static WireException refused(String why) {
        return new WireException(ErrorCode.PROTOCOL_VIOLATION, "peer", why);
    }
}
