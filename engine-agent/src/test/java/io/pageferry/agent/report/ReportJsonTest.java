package io.pageferry.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.guest.AfterResume;
import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.DrainedTracker;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Names, their order and the formats of numbers, as the first version of the report had them. */
class ReportJsonTest {
    private static final GuestDescription GUEST = new GuestDescription("workload", "w",
            new RegionTable(List.of(new Region(0, "ram", 1L << 32, 8192, 4096))), 8192, Map.of());
    private static final UUID ID = new UUID(1, 2);

    private static Report source(Outcome outcome) {
        MigrationFigures figures = new MigrationFigures();
        figures.add(new RoundStats(0, false, 2, new PagesByCodec(0, 2, 0, 0, 0),
                0, 8300, 1_234_567, 1, 200_000));
        figures.add(new RoundStats(1, true, 1, new PagesByCodec(0, 0, 1, 0, 0),
                0, 900, 2_000_000, 0, 0));
        figures.add(new RoundStats(2, true, 1, new PagesByCodec(0, 0, 0, 0, 0),
                1, 90, 1_000_000, 0, 0));
        figures.reconnected(77);
        figures.add(Part.PAUSE, 1_000_400);
        figures.add(Part.RESUME, 2_500_600);
        figures.digests(0x1234L, 0x1234L, 2);
        figures.stopped(StopReason.NON_DIFFUSION, new DowntimePrediction(20_000_000, 60_000_000));
        figures.times(5_000_499, 1_000_000_501);
        figures.deviceState(321);
        figures.slowdown(30_000_000, 400_000_000, 40);
        figures.owner(Owner.TARGET, 1);
        figures.targetAccess("process");
        return Report.ofSource(new Report.Begin(ID, GUEST, new Report.Choices(
                        Optional.of(Policy.KVM_CLASSIC), Optional.of("scan"), 2,
                        Optional.of(CodecChoice.ADAPTIVE), "nio", true, Verification.SENT,
                        Optional.of("file")), 250_000_001),
                outcome, figures, new Report.OfGuest(
                        Optional.of(new GuestCheck(10L, null, null, 0L)),
                        Optional.of(new DiskCopies(List.of(
                                new DiskCopies.Disk("d0", 4096, 4000, 96)), 5000,
                                1_000_000)), Optional.empty(),
                        Optional.of(new DrainedTracker.Costs(5, 40_000_000, 12_000_000)),
                        Optional.of(new SourceGuest.Unread(2, List.of("/dev/sda sector 8")))))
                        .slowedBy("cgroup");
    }

    private static void assertJson(String expected, Report report) {
        assertEquals(expected.replace("\n", ""), report.json().toString());
    }

    @Test
    void ofASource() {
        assertJson("""
                {"event":"report","schema":"pageferry.report/1","side":"source",
                "result":"completed","migrationId":"00000000-0000-0001-0000-000000000002",
                "guest":{"kind":"workload","name":"w","memoryBytes":8192,"pageSize":4096,
                "regions":[{"name":"ram","guestBase":4294967296,"size":8192,"granule":4096}]},
                "policy":"kvm-classic","tracker":"scan","channels":2,"codec":"adaptive",
                "transport":"nio","tls":true,
                "memoryAccess":{"source":"file","target":"process"},"startupMs":250.0,
                "guestSlowdown":{"percent":7.5,"stolenMs":30.0,"maxThrottlePercent":40.0,
                "by":"cgroup"},"reconnects":1,"resentBytes":77,"totalMs":1000.001,
                "downtimeMs":5.0,"downtime":{"pauseMs":1.0,"scanMs":0.0,"stateSaveMs":0.0,
                "lastPagesMs":0.0,"stateLoadMs":0.0,"verifyMs":0.0,"handoverMs":0.0,
                "resumeMs":2.501},"predictedDowntimeMs":{"p50":20.0,"p95":60.0},"rounds":[
                {"round":0,"phase":"precopy","dirtyPages":2,"sentPages":2,"zero":0,"raw":2,
                "lz4":0,"zstd":0,"delta":0,"duplicate":0,"skipped":0,"deferred":0,"guestBytes":8192,
                "wireBytes":8300,"durationMs":1.235,"dirtyBytesPerSecond":3317762,
                "wireBytesPerSecond":6723005,"throttlePercent":16.2},
                {"round":1,"phase":"stop-and-copy","dirtyPages":2,"sentPages":1,"zero":0,"raw":0,
                "lz4":1,"zstd":0,"delta":0,"duplicate":0,"skipped":1,"deferred":0,"guestBytes":4096,
                "wireBytes":990,"durationMs":3.0,"dirtyBytesPerSecond":0,
                "wireBytesPerSecond":330000,"throttlePercent":0.0}],
                "stopReason":"non-diffusion","guestBytes":12288,"wireBytes":9290,
                "goodputBytesPerSecond":12288,"deviceStateBytes":321,"afterResume":null,
                "unread":{"pages":2,"places":["/dev/sda sector 8"]},
                "drain":{"count":5,"totalMs":40.0,"longestMs":12.0},
                "verification":{"method":"sent","pages":2,"sourceDigest":"0000000000001234",
                "targetDigest":"0000000000001234","match":true},
                "guestCheck":{"ticksSource":10,"ticksTarget":null,"lostTicks":null,"failures":0},
                "owner":{"side":"target","epoch":1},"storage":{"bytes":5000,"durationMs":1.0,
                "drives":[{"name":"d0","size":4096,"copiedBytes":4000}]}}
                """, source(Outcome.completed()));
    }

    @Test
    void ofATarget() {
        Report.Begin begin = new Report.Begin(ID, GUEST, new Report.Choices(Optional.empty(),
                Optional.empty(), 1, Optional.empty(), "nio", false, Verification.NONE,
                Optional.of("mapped")), 1_000_000);
        assertJson("""
                {"event":"report","schema":"pageferry.report/1","side":"target",
                "result":"failed","error":{"code":"guest-failed","reason":"why","side":"target",
                "remedy":"what"},"migrationId":"00000000-0000-0001-0000-000000000002",
                "guest":{"kind":"workload","name":"w","memoryBytes":8192,"pageSize":4096,
                "regions":[{"name":"ram","guestBase":4294967296,"size":8192,"granule":4096}]},
                "policy":null,"tracker":null,"channels":1,"codec":null,"transport":"nio",
                "tls":false,"memoryAccess":{"source":"file","target":"mapped"},"startupMs":1.0,
                "guestSlowdown":{"percent":0,"stolenMs":0,"maxThrottlePercent":0},
                "reconnects":0,"resentBytes":0,"totalMs":0.0,"downtimeMs":0.0,
                "downtime":{"stateLoadMs":2.0,"verifyMs":0.0,"resumeMs":3.0},"rounds":[],
                "guestBytes":8192,"wireBytes":8300,"goodputBytesPerSecond":0,
                "deviceStateBytes":321,"afterResume":{"windowMs":250.0,"faults":1234,"cpuMs":30.0},
                "verification":{"method":"none","pages":0,
                "sourceDigest":null,"targetDigest":null,"match":null},
                "owner":{"side":"source","epoch":0}}
                """, new Report(Side.TARGET, Outcome.of(Result.FAILED_AT_TARGET,
                ErrorCode.GUEST_FAILED, "why", Side.TARGET).withRemedy("what"),
                Optional.of(new Report.Body(begin, new Report.Times(0, 0, new EnumMap<>(Map.of(
                        Part.RESUME, 3_000_000L, Part.VERIFY, 0L, Part.STATE_LOAD, 2_000_000L)),
                        Optional.empty()), List.of(), Optional.empty(), Optional.empty(),
                        new Report.Traffic(8192, 8300, 321, 0, 0),
                        new Report.Proof(Verification.NONE, 2, true, 1, 1, Optional.empty()),
                        Owner.SOURCE, 0,
                        new Report.OfGuest(Optional.empty(), Optional.empty(), Optional.of(
                                new AfterResume(250_000_000, 1_234, 30_000_000)),
                                Optional.empty(), Optional.empty()), Optional.of("file"),
                        List.of()))));
    }

    @Test
    void ofNothing() {
        assertJson("""
                {"event":"report","schema":"pageferry.report/1","side":"source",
                "result":"in-doubt","error":{"code":"link-lost","reason":"why","side":"target",
                "remedy":""}}
                """, Report.ofNothing(Side.SOURCE, Outcome.of(Result.IN_DOUBT,
                ErrorCode.LINK_LOST, "why", Side.TARGET)));
    }
}
