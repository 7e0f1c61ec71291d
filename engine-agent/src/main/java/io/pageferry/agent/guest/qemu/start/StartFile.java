package io.pageferry.agent.guest.qemu.start;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A start file: what a target's QEMU is started with, one option and its value a line, the program
 * first. {@code #} begins a comment, {@code !} what could not be told and has to be decided. All
 * strings are {@link RawText}.
 *
 * @param lines in their order
 */
public record StartFile(List<Line> lines) {
    private static final char COMMENT = '#';
    private static final char UNTOLD = '!';
    private static final Pattern CONTROLS = Pattern.compile("\\p{Cntrl}+");

    /** One line that is not empty. */
    public sealed interface Line { }

    /** Words of the command line: one or more. */
    public record Arguments(List<String> words) implements Line {
        public Arguments {
            if (words.isEmpty()) {
                throw new IllegalArgumentException("a line has a word");
            }
            words = List.copyOf(words);
        }
    }

    /** For people. */
    public record Comment(String text) implements Line {
        public Comment {
            text = oneLine(text);
        }
    }

    /** What stands in the way of a start until somebody decided it. */
    public record Untold(String text) implements Line {
        public Untold {
            text = oneLine(text);
        }
    }

    public StartFile {
        lines = List.copyOf(lines);
    }

    private static String oneLine(String text) {
        return CONTROLS.matcher(text).replaceAll(" ").strip();
    }

    /**
     * Reads a file.
     *
     * @param bytes its content
     * @throws IllegalArgumentException where a line makes no sense, with its number
     */
    public static StartFile parse(byte[] bytes) {
        List<Line> lines = new ArrayList<>();
        String[] texts = RawText.of(bytes).split("\n", -1);
        for (int i = 0; i < texts.length; i++) {
            String text = texts[i].strip();
            if (text.isEmpty()) {
                continue;
            }
            try {
                lines.add(switch (text.charAt(0)) {
                    case COMMENT -> new Comment(text.substring(1));
                    case UNTOLD -> new Untold(text.substring(1));
                    default -> new Arguments(Words.parse(text));
                });
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        return new StartFile(lines);
    }

    /** {@return the file's content} */
    public byte[] print() {
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            text.append(switch (line) {
                case Arguments arguments -> Words.print(arguments.words());
                case Comment comment -> COMMENT + " " + comment.text();
                case Untold untold -> UNTOLD + " " + untold.text();
            }).append('\n');
        }
        return RawText.bytes(text.toString());
    }

    /** {@return the program and its arguments} */
    public List<String> arguments() {
        return lines.stream().filter(Arguments.class::isInstance).map(Arguments.class::cast)
                .flatMap(line -> line.words().stream()).toList();
    }

    /** {@return what has to be decided first} */
    public List<String> untold() {
        return lines.stream().filter(Untold.class::isInstance).map(Untold.class::cast)
                .map(Untold::text).toList();
    }
}
