package io.pageferry.agent.cli.remote;

import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.ApiException;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.trust.PeerContexts;
import io.pageferry.transport.netty.alpn.HttpProtocols;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.Option;

/** Where the agent of this host is asked. */
public final class ApiArguments {
    private static final String HTTPS = "https://";
    private static final String USUAL = "unix:/run/pageferry/api.sock";
    private static final String VARIABLE = "PAGEFERRY_API";
    private static final int UNAVAILABLE = 503;

    @Option(names = "--api", paramLabel = "unix:PATH|https://HOST:PORT", description = "the agent,"
            + " default what the variable " + VARIABLE + " says, or " + USUAL + " of this host; one"
            + " with TLS answers at its port, with --tls-cert, --tls-key and --tls-ca")
    private String api;

    /** Made by the command line. */
    public ApiArguments() {
    }

    /**
     * Finds the agent for a command that does without one.
     *
     * @param files of TLS, for one at a port
     * @return the agent; empty where none listens at the usual place
     * @throws ApiException where another place was named, and none listens there
     */
    public Optional<ApiClient> present(Optional<TlsFiles> files) throws ApiException {
        if (named() != null) {
            return Optional.of(required(files));
        }
        ApiClient client = new ApiClient(socket());
        requireNoStrangers();
        try {
            client.probe();
            return Optional.of(client);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Each user may put a socket there where no agent runs, and would be believed. */
    private void requireNoStrangers() throws ApiException {
        if (named() != null) {
            return;
        }
        Path usual = socket().getPath();
        try {
            if (PrivateFiles.isOfRootOrSelf(usual)) {
                return;
            }
        } catch (IOException e) {
            return; // nothing is there
        }
        throw new ApiException(UNAVAILABLE, "unreachable", usual + " is another user's, and may be"
                + " no agent", "delete it and start pageferry agent; or name it with --api unix:"
                + usual + " where that user's agent is this host's");
    }

    /**
     * Finds the agent for a command that cannot do without.
     *
     * @param files of TLS, for one at a port
     * @return the agent
     * @throws ApiException where none listens
     */
    public ApiClient required(Optional<TlsFiles> files) throws ApiException {
        requireNoStrangers();
        try {
            ApiClient client = text().startsWith(HTTPS) ? overTls(files)
                    : new ApiClient(socket());
            client.probe();
            return client;
        } catch (IOException e) {
            throw new ApiException(UNAVAILABLE, "unreachable", "no agent answers at "
                    + text() + " (" + e.getMessage() + ")", "start pageferry agent, or name its"
                    + " socket with --api; who may connect is in docs/OPERATIONS.md");
        }
    }

    private ApiClient overTls(Optional<TlsFiles> files) throws IOException {
        String address = text().substring(HTTPS.length()).replaceFirst("/$", "");
        if (files.isEmpty()) {
            throw new UsageException("--api " + text() + ": give --tls-cert, --tls-key and"
                    + " --tls-ca too, by which the agent and this command know each other");
        }
        if (!Addresses.isAddress(address)) {
            throw new UsageException("--api " + text() + ": write https://HOST:PORT");
        }
        return ApiClient.overTls(address, PeerContexts.of(files.get()), HttpProtocols.API);
    }

    /**
     * Checks the name of a migration before it is part of a call's path.
     *
     * @param text as it was given
     * @return the same
     */
    public static String migration(String text) {
        try {
            return UUID.fromString(text).toString();
        } catch (IllegalArgumentException e) {
            throw new UsageException("'" + text + "' is no migration: pageferry status and"
                    + " pageferry history name them");
        }
    }

    private String named() {
        return api != null ? api : System.getenv(VARIABLE);
    }

    private String text() {
        return named() == null ? USUAL : named();
    }

    private UnixDomainSocketAddress socket() {
        if (text().startsWith("unix:") && Addresses.parse("--api", text(), Optional.empty(), false)
                instanceof UnixDomainSocketAddress socket) {
            return socket;
        }
        throw new UsageException("--api " + text() + ": write unix:PATH or https://HOST:PORT");
    }
}
