package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.store.AddressBook;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import java.io.IOException;
import java.util.Optional;

/**
 * The guests of this host as callers name them, and who may name which. Any thread; it reads files.
 *
 * @param book the operator's names for them
 */
public record Guests(AddressBook book) {
    /** Of guests that live in the agent, and are nothing of the host's. */
    static final String EMBEDDED = "workload";

    /**
     * Finds a guest for a caller of this host.
     *
     * @param name a name of the address book, or a URI
     * @return it
     * @throws CallException where it is none, or only the operator may say it
     */
    public GuestUri find(String name) {
        try {
            Optional<AddressBook.Entry> entry = book.find(name);
            GuestUri uri = GuestUri.parse(entry.map(AddressBook.Entry::uri).orElse(name));
            Optional<String> own = GuestKinds.of(uri).operatorsOwn(uri);
            if (entry.isEmpty() && own.isPresent()) {
                throw new CallException(Why.FORBIDDEN, own.get() + " of " + uri.scheme()
                        + ": is for the operator of this host to say",
                        "have its operator name that guest in the address book");
            }
            return uri;
        } catch (IllegalArgumentException e) {
            throw new CallException(Why.USAGE, e.getMessage(),
                    "GET /v1/guests lists the guests that have names here");
        } catch (IOException e) {
            throw new CallException(Why.HOST_FAILED, e.getMessage(), "look at the address book");
        }
    }

    /**
     * Finds a guest for a caller who may name no files, sockets and processes of this host: who
     * comes from another one, or has a slot wait.
     *
     * @param name a name of the address book, or a {@code workload:}
     * @return it
     * @throws CallException where it is something else
     */
    public GuestUri named(String name) {
        GuestUri uri = find(name);
        if (uri.text().equals(name) && !uri.scheme().equals(EMBEDDED)) {
            throw new CallException(Why.FORBIDDEN, "by " + name + " a caller would name files"
                    + " and sockets of this host", "have its operator name that guest in the"
                    + " address book, and use the name");
        }
        return uri;
    }
}
