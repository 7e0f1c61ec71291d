package io.pageferry.agent.session;

import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.link.Listener;
import io.pageferry.core.incoming.session.TargetOptions;
import java.nio.file.Path;

/**
 * What {@code receive}, or an embedder, asks for.
 *
 * @param guest          to become, and how it is reached
 * @param listen         where sources come in
 * @param once           whether to end after one migration
 * @param prealloc       whether memory is made resident before it listens
 * @param options        limits of the migration
 * @param stateDirectory folder, or null for the user's
 * @param lingerNanos    how long an embedded guest runs here with {@code --once}
 * @param activate       command of the shell that is run over what came, or null for none; for
 *                       guests that know how ({@link TargetGuest#activated})
 * @param start          a file that says what is started for a guest, or null where it is there
 */
public record ReceiveSettings(GuestFactory<TargetGuest> guest, Listener listen, boolean once,
        boolean prealloc, TargetOptions options, Path stateDirectory, long lingerNanos,
        String activate, Path start) {
}
