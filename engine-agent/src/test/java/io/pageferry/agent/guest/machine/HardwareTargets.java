package io.pageferry.agent.guest.machine;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Descriptions of machines, which a source sends as the device state. */
public final class HardwareTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new Machines());
    }

    private record Machines() implements FuzzTarget {
        @Override
        public String name() {
            return "machine-hardware";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(HardwareJson.class);
        }

        @Override
        public boolean parses(String method) {
            return !method.equals("write");
        }

        @Override
        public Map<String, byte[]> seeds() {
            try {
                String whole = new String(HardwareJson.write(HardwareJsonTest.WEB),
                        StandardCharsets.UTF_8);
                Map<String, byte[]> seeds = new TreeMap<>();
                put(seeds, "whole", whole);
                put(seeds, "bios", whole.replace("uefi", "bios").replace("4096", "1"));
                return seeds;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private static void put(Map<String, byte[]> seeds, String name, String text) {
            seeds.put(name, text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public boolean take(int choice, byte[] bytes) throws Exception {
            Hardware machine;
            try {
                machine = HardwareJson.read(bytes);
            } catch (IOException e) {
                if (e.getMessage() == null || e.getMessage().contains("\n")) {
                    throw new AssertionError("no line: " + e.getMessage());
                }
                return false;
            }
            if (!machine.equals(HardwareJson.read(HardwareJson.write(machine)))) {
                throw new AssertionError("written as something else");
            }
            return true;
        }
    }
}
