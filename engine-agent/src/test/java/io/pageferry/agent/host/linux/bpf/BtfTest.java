package io.pageferry.agent.host.linux.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BtfTest {
    private static final int INT = 1 << 24;
    private static final int PTR = 2 << 24;
    private static final int STRUCT = 4 << 24;
    private static final int UNION = 5 << 24;
    private static final int TYPEDEF = 8 << 24;
    private static final int CONST = 10 << 24;
    private static final int FUNC_PROTO = 13 << 24;
    private static final int FLAG = 1 << 31;

    private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
    private final ByteBuffer types = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

    private int name(String name) {
        int at = strings.size();
        strings.writeBytes((name + "\0").getBytes(StandardCharsets.US_ASCII));
        return at;
    }

    private BtfTest type(int nameAt, int info, int last, int... more) {
        types.putInt(nameAt).putInt(info).putInt(last);
        for (int one : more) {
            types.putInt(one);
        }
        return this;
    }

    private byte[] bytes() {
        ByteBuffer all = ByteBuffer.allocate(24 + types.position() + strings.size())
                .order(ByteOrder.LITTLE_ENDIAN);
        all.putShort((short) 0xeb9f).put((byte) 1).put((byte) 0).putInt(24)
                .putInt(0).putInt(types.position()).putInt(types.position())
                .putInt(strings.size());
        all.put(types.array(), 0, types.position()).put(strings.toByteArray());
        return all.array();
    }

    /** 1 u64, 2 struct inner, 3 union, 4 struct outer, 5 const, 6 pointer, 7 and 8 a trace. */
    private byte[] small() {
        int none = name("");
        type(name("u64"), INT, 8, 64);
        type(name("inner"), STRUCT | 1, 8, name("deep"), 1, 0);
        type(none, UNION | 2, 8, none, 2, 0, name("other"), 1, 0);
        type(name("outer"), STRUCT | FLAG | 2, 24, name("first"), 1, 0, none, 3, 3 << 24 | 128);
        type(none, CONST, 4);
        type(none, PTR, 5);
        type(none, FUNC_PROTO | 2, 0, none, 6, none, 1);
        type(none, PTR, 7);
        type(name("btf_trace_x"), TYPEDEF, 8);
        return bytes();
    }

    @Test
    void membersAreFoundInsideOfOthersWithoutAName() throws Exception {
        Btf btf = Btf.parse(small());
        int prototype = btf.pointee(btf.typedef("btf_trace_x"), "x");
        int outer = btf.pointee(btf.parameters(prototype, "x")[0], "outer");

        assertTrue(btf.isStruct(outer, "outer"));
        assertEquals(new Btf.Member(16, 1), btf.member(outer, "deep"));
        assertEquals(new Btf.Member(16, 1), btf.member(outer, "other"));
        assertEquals(8, btf.sizeOfNumber(btf.member(outer, "first").type()));
        assertEquals(0, btf.sizeOfNumber(outer));
        assertEquals(0, btf.typedef("nothing"));
        assertTrue(assertThrows(IOException.class, () -> btf.member(outer, "none"))
                .getMessage().contains("no none"));
        assertThrows(IOException.class, () -> btf.pointee(1, "a pointer"));
    }

    @Test
    void typesThatContainThemselvesEnd() throws Exception {
        int none = name("");
        type(none, CONST, 1);
        type(name("s"), STRUCT | 1, 8, none, 2, 0);
        Btf btf = Btf.parse(bytes());
        assertThrows(IOException.class, () -> btf.sizeOfNumber(1));
        assertThrows(IOException.class, () -> btf.member(2, "x"));
    }

    /** Whatever is damaged, it is one exception with a message, and no hang. */
    @Test
    void damageIsTold() throws Exception {
        byte[] whole = small();
        Random random = new Random(Requirements.seed());
        int refused = 0;
        for (int i = 0; i < 5_000; i++) {
            byte[] damaged = Arrays.copyOf(whole,
                    random.nextInt(4) == 0 ? random.nextInt(whole.length) : whole.length);
            for (int k = 1 + random.nextInt(3); k > 0 && damaged.length > 0; k--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                Btf btf = Btf.parse(damaged);
                int struct = btf.pointee(btf.parameters(btf.pointee(
                        btf.typedef("btf_trace_x"), "x"), "x")[0], "outer");
                btf.member(struct, "deep");
            } catch (IOException e) {
                refused++;
                assertTrue(e.getMessage() != null && !e.getMessage().isBlank());
            }
        }
        System.out.println(refused + " of 5000 refused");
        assertTrue(refused > 1_000);
    }

    @Test
    void thisKernelHasWhatIsNeeded() throws Exception {
        Requirements.blockTracking();
        RequestLayout layout = RequestLayout.of(Btf.ofThisKernel());
        assertTrue(layout.completed() > 0 && layout.request().sector() > 0);
        assertEquals(layout.disk().minor() - layout.disk().major(), Integer.BYTES);
    }
}
