package io.pageferry.agent;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.target.TargetOptions;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What {@code receive} was told.
 *
 * @param guest          to become
 * @param listen         where to
 * @param once           whether to end after one migration
 * @param prealloc       whether memory is made resident before it listens
 * @param options        limits of the migration
 * @param stateDirectory folder, or null for the user's
 * @param lingerNanos    how long an embedded guest runs here with {@code --once}
 * @param activate       command of the shell that is run over what came, or null for none; for
 *                       guests that know how ({@link
 *                       io.pageferry.agent.guest.TargetGuest#activated})
 */
public record ReceiveSettings(GuestUri guest, InetSocketAddress listen, boolean once,
        boolean prealloc, TargetOptions options, Path stateDirectory, long lingerNanos,
        String activate) {
}
