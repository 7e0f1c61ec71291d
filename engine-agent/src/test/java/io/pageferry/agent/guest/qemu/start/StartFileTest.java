package io.pageferry.agent.guest.qemu.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.start.StartFile.Arguments;
import io.pageferry.agent.guest.qemu.start.StartFile.Comment;
import io.pageferry.agent.guest.qemu.start.StartFile.Line;
import io.pageferry.agent.guest.qemu.start.StartFile.Untold;
import io.pageferry.core.migration.GuestException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StartFileTest {
    private static final long SEED = Long.getLong("pageferry.test.seed", 1);
    private static final String TARGET = "/usr/bin/qemu\n-S\n-incoming defer\n";

    private static StartFile parse(String text) {
        return StartFile.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A path may hold any byte but 0. */
    private static String word(Random random) {
        byte[] bytes = new byte[random.nextInt(6)];
        String often = " '\"\\#!\n\t,=-ä";
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (random.nextBoolean() ? 1 + random.nextInt(255)
                    : often.charAt(random.nextInt(often.length())));
        }
        return RawText.of(bytes);
    }

    @Test
    void whatIsPrintedIsReadAgain() {
        Random random = new Random(SEED);
        for (int n = 0; n < 5000; n++) {
            List<Line> lines = new ArrayList<>();
            for (int i = random.nextInt(4); i >= 0; i--) {
                switch (random.nextInt(4)) {
                    case 0 -> lines.add(new Comment(word(random)));
                    case 1 -> lines.add(new Untold(word(random)));
                    default -> {
                        List<String> words = new ArrayList<>();
                        for (int k = random.nextInt(3); k >= 0; k--) {
                            words.add(word(random));
                        }
                        lines.add(new Arguments(words));
                    }
                }
            }
            StartFile file = new StartFile(lines);
            String text = RawText.of(file.print());
            assertEquals(file, StartFile.parse(file.print()), () -> "seed " + SEED + ": " + text);
        }
    }

    @Test
    void aPersonReadsWhatIsPrinted() {
        assertEquals("-name vm1\n-drive 'file=/a b/ü'\n-x \"it's\\n\\xff\"\n'#no' \"'!\"\n# why\n",
                new String(new StartFile(List.of(
                        new Arguments(List.of("-name", "vm1")),
                        new Arguments(List.of("-drive", RawText.of("file=/a b/ü"))),
                        new Arguments(List.of("-x", "it's\n\u00ff")),
                        new Arguments(List.of("#no", "'!")),
                        new Comment("why"))).print(), StandardCharsets.UTF_8));
    }

    @Test
    void blankLinesAndSeveralWordsOnALineAreRead() {
        StartFile file = parse("""
                # a comment

                  /usr/bin/qemu   -m 1G\r
                \t-device '{"driver":"x"}'
                ! decide
                """);
        assertEquals(List.of("/usr/bin/qemu", "-m", "1G", "-device", "{\"driver\":\"x\"}"),
                file.arguments());
        assertEquals(List.of("decide"), file.untold());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'open|line 2: a quoted word does not end",
        "\"open|line 2: a quoted word does not end",
        "\"open\\|line 2: a quoted word does not end",
        "a'b|line 2: a word with a quote",
        "'a'b|line 2: a blank is missing",
        "\"\\q\"|line 2: in \"…\" a \\ is followed by",
        "\"\\xg0\"|line 2: \\x wants two",
        "\"\\x00\"|line 2: no argument holds a zero byte",
    })
    void aLineThatMakesNoSenseIsNamed(String line, String why) {
        String message = assertThrows(IllegalArgumentException.class,
                () -> parse("ok\n" + line)).getMessage();
        assertTrue(message.startsWith(why), message);
    }

    private static String refusal(String text) {
        return assertThrows(GuestException.class, () -> StartedQemu.arguments(Path.of("/f"),
                text.getBytes(StandardCharsets.UTF_8))).getMessage();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "-incoming defer|-m 1G|it has no -incoming, and so QEMU would boot a second guest",
        "-incoming defer|-incoming tcp:0:1|its -incoming is not defer",
        "-S|! the disk|describe could not tell all: the disk",
        "-S|-daemonize|it has -daemonize",
        "-S|-loadvm x|it has -loadvm",
        "/usr/bin/qemu|qemu|it does not begin with a program",
        "-S|'x|line 2: a quoted word",
    })
    void whatCannotBecomeATargetIsRefusedBeforeItIsStarted(String line, String other,
            String why) {
        String message = refusal(TARGET.replace(line + "\n", other + "\n"));
        assertTrue(message.startsWith("--start /f: " + why), message);
    }

    @Test
    void aTargetIsStartedWithItsWords() throws GuestException {
        assertEquals(List.of("/usr/bin/qemu", "-S", "-incoming", "defer"), StartedQemu.arguments(
                Path.of("/f"), TARGET.getBytes(StandardCharsets.UTF_8)));
    }
}
