package io.pageferry.agent.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** The agent refuses a call, and says why. */
public final class ApiException extends IOException {
    private static final long serialVersionUID = 1L;

    private static final int BAD_REQUEST = 400;
    private static final int UNAVAILABLE = 503;
    private static final int USAGE = 2;
    private static final int REFUSED = 3;
    private static final int BUG = 70;

    private final int status;
    private final String code;
    private final String remedy;

    /**
     * Makes the exception.
     *
     * @param status of the answer
     * @param code   a word for programs
     * @param reason one line
     * @param remedy what to do about it; may be empty
     */
    public ApiException(int status, String code, String reason, String remedy) {
        super(reason);
        this.status = status;
        this.code = code;
        this.remedy = remedy;
    }

    /** Reads what an agent says; of a body that is no problem there is only the status. */
    static ApiException of(int status, JsonNode body) {
        String reason = body.path("reason").asText();
        return new ApiException(status, body.path("code").asText(), reason.isEmpty()
                ? "the agent answers with " + status : reason, body.path("remedy").asText());
    }

    /** {@return what to do about it; may be empty} */
    public String remedy() {
        return remedy;
    }

    /** {@return whether the same may be answered otherwise a moment later} */
    public boolean mayPass() {
        return status == UNAVAILABLE;
    }

    /** {@return the exit code of a command that ends with this} */
    public int exitCode() {
        return status == BAD_REQUEST ? USAGE : code.equals("internal") ? BUG : REFUSED;
    }
}
