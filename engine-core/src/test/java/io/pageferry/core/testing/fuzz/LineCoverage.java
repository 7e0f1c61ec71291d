package io.pageferry.core.testing.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.IClassCoverage;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.analysis.IMethodCoverage;
import org.jacoco.core.data.ExecutionDataStore;
import org.jacoco.core.data.SessionInfoStore;
import org.jacoco.core.instr.Instrumenter;
import org.jacoco.core.runtime.LoggerRuntime;
import org.jacoco.core.runtime.RuntimeData;

/**
 * Which lines of a parser some inputs reach, by JaCoCo. The inputs run on a second set of this
 * engine's classes, in which those of the parser count: so no agent, and nothing of it is seen by
 * another test.
 */
final class LineCoverage {
    private static final String OURS = "io.pageferry.";
    private static final int PERCENT = 100;

    private final Set<String> reached = new TreeSet<>();
    private final Set<String> missed = new TreeSet<>();

    private LineCoverage(CoverageBuilder builder, Predicate<String> parses) {
        for (IClassCoverage one : builder.getClasses()) {
            for (IMethodCoverage method : one.getMethods()) {
                if (parses.test(method.getName().replaceAll("lambda\\$|\\$\\d+", ""))) {
                    count(one.getSourceFileName(), method);
                }
            }
        }
        // What a lambda has in common with the method around it.
        missed.removeAll(reached);
    }

    private void count(String file, IMethodCoverage method) {
        for (int line = method.getFirstLine(); line <= method.getLastLine(); line++) {
            int status = method.getLine(line).getStatus();
            if (status == ICounter.NOT_COVERED) {
                missed.add(file + ":" + line);
            } else if (status != ICounter.EMPTY) {
                reached.add(file + ":" + line);
            }
        }
    }

    /**
     * Runs inputs.
     *
     * @param targets the class of them
     * @param inputs  of each target of one parser
     * @return what was reached
     * @throws Exception a finding
     */
    static LineCoverage of(Class<? extends FuzzTargets> targets,
            Map<FuzzTarget, List<byte[]>> inputs) throws Exception {
        Set<Class<?>> parser = inputs.keySet().stream()
                .flatMap(target -> target.parserClasses().stream()).collect(Collectors.toSet());
        LoggerRuntime runtime = new LoggerRuntime();
        RuntimeData data = new RuntimeData();
        runtime.startup(data);
        ExecutionDataStore executed = new ExecutionDataStore();
        try {
            Set<String> counted = parser.stream().map(Class::getName)
                    .collect(Collectors.toUnmodifiableSet());
            Class<?> run = new SecondClasses(new Instrumenter(runtime), counted)
                    .loadClass(FuzzRun.class.getName());
            for (Map.Entry<FuzzTarget, List<byte[]>> one : inputs.entrySet()) {
                run.getMethod("replay", String.class, String.class, List.class)
                        .invoke(null, targets.getName(), one.getKey().name(), one.getValue());
            }
            data.collect(executed, new SessionInfoStore(), false);
        } finally {
            runtime.shutdown();
        }
        CoverageBuilder builder = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(executed, builder);
        for (Class<?> one : parser) {
            analyzer.analyzeClass(bytesOf(one.getName()), one.getName());
        }
        return new LineCoverage(builder, method ->
                inputs.keySet().iterator().next().parses(method));
    }

    /** {@return lines reached, in percent of all} */
    double percent() {
        return PERCENT * (double) reached.size() / (reached.size() + missed.size());
    }

    @Override
    public String toString() {
        return String.format("%d of %d lines (%.1f %%), not %s", reached.size(),
                reached.size() + missed.size(), percent(), missed);
    }

    private static byte[] bytesOf(String name) throws IOException {
        try (InputStream in = LineCoverage.class.getClassLoader()
                .getResourceAsStream(name.replace('.', '/') + ".class")) {
            return in.readAllBytes();
        }
    }

    /** All classes of this engine once more. */
    private static final class SecondClasses extends ClassLoader {
        private final Instrumenter instrumenter;
        private final Set<String> counted;

        SecondClasses(Instrumenter instrumenter, Set<String> counted) {
            super(LineCoverage.class.getClassLoader());
            this.instrumenter = instrumenter;
            this.counted = counted;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(OURS)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known == null ? define(name) : known;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try {
                byte[] bytes = bytesOf(name);
                byte[] counting = counted.contains(name)
                        ? instrumenter.instrument(bytes, name) : bytes;
                return defineClass(name, counting, 0, counting.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
