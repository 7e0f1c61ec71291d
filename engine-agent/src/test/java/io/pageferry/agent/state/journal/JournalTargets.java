package io.pageferry.agent.state.journal;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The file of a journal. What is taken has a whole header and records that its side writes, says
 * who owns the guest, and is written again as what it was.
 */
public final class JournalTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new File());
    }

    private static final class File implements FuzzTarget {
        private static final Path PATH = Path.of("a.journal");
        private static final int SUM_DIGITS = 8;

        @Override
        public String name() {
            return "journal";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(FileJournal.class);
        }

        @Override
        public boolean parses(String method) {
            return List.of("parse", "fitting", "whole", "checked", "newline", "sum")
                    .contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            Map<String, byte[]> seeds = new LinkedHashMap<>();
            seeds.put("source", journal(Side.SOURCE, JournalState.SWITCHOVER,
                    JournalState.GRANTED, JournalState.OWNED, JournalState.SETTLED));
            seeds.put("target", journal(Side.TARGET, JournalState.PREPARED,
                    JournalState.ACTIVE, JournalState.RUNNING));
            seeds.put("new", journal(Side.TARGET));
            return seeds;
        }

        private static byte[] journal(Side side, JournalState... states) {
            StringBuilder text = new StringBuilder();
            try {
                text.append(FileJournal.line(new JournalHeader(JournalHeader.SCHEMA,
                        new UUID(1, 2), side, "qemu:/run/a.sock", "127.0.0.1:4477", 1,
                        Map.of(JournalHeader.IDENTITY, "b"))));
                for (JournalState state : states) {
                    text.append(FileJournal.line(new JournalRecord(state, 3, true, "why ä")));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return text.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public void seal(byte[] bytes) {
            int start = 0;
            int tab = -1;
            for (int i = 0; i < bytes.length; i++) {
                if (bytes[i] == '\t') {
                    tab = i;
                } else if (bytes[i] == '\n') {
                    if (tab >= start && i - tab - 1 == SUM_DIGITS) {
                        CRC32C crc = new CRC32C();
                        crc.update(bytes, start, tab - start);
                        byte[] hex = String.format("%08x", crc.getValue())
                                .getBytes(StandardCharsets.US_ASCII);
                        System.arraycopy(hex, 0, bytes, tab + 1, SUM_DIGITS);
                    }
                    start = i + 1;
                }
            }
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            FileJournal.Contents read;
            try {
                read = FileJournal.parse(PATH, bytes);
            } catch (IOException e) {
                require(!e.getMessage().isEmpty(), e.toString());
                return false;
            }
            JournalHeader header = read.header();
            require(header.schema().equals(JournalHeader.SCHEMA) && header.migration() != null
                    && header.guest() != null && header.peer() != null
                    && header.recoveryAddress() != null, header.toString());
            require(header.recoveryAddress().values().stream().allMatch(Objects::nonNull),
                    header.toString());
            require(read.length() <= bytes.length && bytes[(int) read.length() - 1] == '\n',
                    "length " + read.length());
            Optional<JournalRecord> decision = read.records().reversed().stream()
                    .filter(one -> one.state() != JournalState.SETTLED).findFirst();
            Ownership.of(header.side(), decision, false).owner();
            StringBuilder again = new StringBuilder(FileJournal.line(header));
            for (JournalRecord one : read.records()) {
                require(one.note() != null && one.epoch() >= 0, one.toString());
                again.append(FileJournal.line(one));
            }
            FileJournal.Contents same = FileJournal.parse(PATH,
                    again.toString().getBytes(StandardCharsets.UTF_8));
            require(same.header().equals(header) && same.records().equals(read.records()),
                    read + " is not " + same);
            return true;
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
