package io.pageferry.agent.daemon;

/** A call is refused: what, why and what to do, in the words of a report. */
public final class CallException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Why why;
    private final String remedy;

    /** Why a call is refused: its code, and its status in HTTP. */
    public enum Why {
        /** It makes no sense. */
        USAGE(400, "usage"),
        /** It is not for callers to say. */
        FORBIDDEN(403, "forbidden"),
        /** There is no such thing. */
        NOT_FOUND(404, "not-found"),
        /** It does not fit how things stand. */
        CONFLICT(409, "conflict"),
        /** This host cannot do it. */
        HOST_FAILED(500, "host-failed"),
        /** Too much waits already. */
        BUSY(503, "busy"),
        /** No new move is taken: the agent ends. */
        STOPPING(503, "stopping");

        private final int status;
        private final String code;

        Why(int status, String code) {
            this.status = status;
            this.code = code;
        }

        /** {@return three digits, as HTTP has them} */
        public int status() {
            return status;
        }

        /** {@return a word for programs} */
        public String code() {
            return code;
        }
    }

    /**
     * Makes the exception.
     *
     * @param why    its kind
     * @param reason one line
     * @param remedy what to do about it
     */
    public CallException(Why why, String reason, String remedy) {
        super(reason);
        this.why = why;
        this.remedy = remedy;
    }

    /** {@return its kind} */
    public Why why() {
        return why;
    }

    /** {@return what to do about it} */
    public String remedy() {
        return remedy;
    }
}
