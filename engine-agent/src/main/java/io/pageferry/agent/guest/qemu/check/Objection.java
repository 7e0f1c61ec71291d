package io.pageferry.agent.guest.qemu.check;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.util.List;

/**
 * Why a QEMU guest cannot be moved as it is. Each text is one line without a final stop.
 *
 * @param what what was found, with its name
 * @param why what would go wrong
 * @param remedy what to do, with the QEMU option where there is one
 * @param trackingOnly true where the guest's writes cannot all be tracked, but comparing its
 *     contents ({@code --tracker scan}) would still be right
 */
public record Objection(String what, String why, String remedy, boolean trackingOnly) {
    /**
     * Makes an objection that holds for every tracker.
     *
     * @param what   what was found
     * @param why    what would go wrong
     * @param remedy what to do
     * @return the objection
     */
    public static Objection of(String what, String why, String remedy) {
        return new Objection(what, why, remedy, false);
    }

    /**
     * Makes an objection that {@code --tracker scan} overcomes.
     *
     * @param what   what was found
     * @param why    what would go wrong
     * @param remedy what to do
     * @return the objection
     */
    public static Objection tracking(String what, String why, String remedy) {
        return new Objection(what, why, remedy, true);
    }

    /**
     * Refuses a guest for the first of its objections that holds for its tracker.
     *
     * @param found    what stands in the way
     * @param compares whether contents are compared: what only escapes a tracker of writes does not
     *                 escape that
     * @throws GuestException when something does
     */
    public static void refuse(List<Objection> found, boolean compares) throws GuestException {
        refuse(compares ? found.stream().filter(one -> !one.trackingOnly()).toList() : found);
    }

    /**
     * Refuses a guest for the first of its objections.
     *
     * @param found what stands in the way, nothing where it is empty
     * @throws GuestException when something does
     */
    public static void refuse(List<Objection> found) throws GuestException {
        if (!found.isEmpty()) {
            Objection first = found.getFirst();
            String more = found.size() == 1 ? "" : " (and " + (found.size() - 1)
                    + " more: pageferry check names them)";
            throw new GuestException(ErrorCode.GUEST_MISMATCH,
                    first.what() + ": " + first.why() + more, first.remedy());
        }
    }

    @Override
    public String toString() {
        return what + ": " + why + ": " + remedy;
    }
}
