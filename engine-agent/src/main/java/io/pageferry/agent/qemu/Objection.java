package io.pageferry.agent.qemu;

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
    static Objection of(String what, String why, String remedy) {
        return new Objection(what, why, remedy, false);
    }

    static Objection tracking(String what, String why, String remedy) {
        return new Objection(what, why, remedy, true);
    }

    @Override
    public String toString() {
        return what + ": " + why + ": " + remedy;
    }
}
