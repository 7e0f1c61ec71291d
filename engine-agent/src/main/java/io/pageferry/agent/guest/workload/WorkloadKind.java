package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.core.migration.GuestException;
import java.util.List;

/** {@code workload:SIZE[?rate=…&set=…&fill=…]}: a guest inside the agent that checks itself. */
public final class WorkloadKind implements GuestKind {
    /** Made by the service loader. */
    public WorkloadKind() {
    }

    @Override
    public String scheme() {
        return Workload.SCHEME;
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        return new WorkloadSource(WorkloadSpec.parse(uri), setup);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        return new WorkloadTarget(WorkloadSpec.parse(uri), setup);
    }

    @Override
    public List<Finding> inspect(GuestUri uri) {
        WorkloadSpec spec = WorkloadSpec.parse(uri);
        return List.of(new Finding("guest", Verdict.OK, "supported: an embedded guest of "
                + spec.size() + " bytes", "", ""));
    }
}
