package io.pageferry.agent.host.linux.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.host.linux.bpf.BpfAssembler.Alu;
import io.pageferry.agent.host.linux.bpf.BpfAssembler.Jump;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Golden bytes of the instruction set's standard, in the order of x86-64 and arm64. */
class BpfAssemblerTest {
    @Test
    void instructionsAreThoseOfTheStandard() {
        assertCode("b7 01 00 00 ff ff ff ff", new BpfAssembler().alu(Alu.MOV, 1, -1));
        assertCode("bf 62 00 00 00 00 00 00", new BpfAssembler().aluBy(Alu.MOV, 2, 6));
        assertCode("57 08 00 00 01 00 00 00", new BpfAssembler().alu(Alu.AND, 8, 1));
        assertCode("1f 32 00 00 00 00 00 00", new BpfAssembler().aluBy(Alu.SUB, 2, 3));
        assertCode("c7 04 00 00 3f 00 00 00", new BpfAssembler().alu(Alu.ARSH, 4, 63));
        assertCode("79 16 10 00 00 00 00 00", new BpfAssembler().loadLong(6, 1, 16));
        assertCode("61 68 18 00 00 00 00 00", new BpfAssembler().load(8, 6, 24));
        assertCode("63 2a fc ff 00 00 00 00", new BpfAssembler().store(10, -4, 2));
        assertCode("7b 2a f0 ff 00 00 00 00", new BpfAssembler().storeLong(10, -16, 2));
        assertCode("db 10 00 00 40 00 00 00", new BpfAssembler().atomicOr(0, 1));
        assertCode("85 00 00 00 01 00 00 00", new BpfAssembler().call(1));
        assertCode("95 00 00 00 00 00 00 00", new BpfAssembler().exit());
        assertCode("18 11 00 00 09 00 00 00 00 00 00 00 00 00 00 00",
                new BpfAssembler().map(1, 9));
        assertCode("18 03 00 00 88 77 66 55 00 00 00 00 44 33 22 11",
                new BpfAssembler().constant(3, 0x1122334455667788L));
    }

    @Test
    void jumpsLeadToTheirLabelsAcrossWideInstructions() {
        assertCode("15 02 03 00 00 00 00 00"
                + "18 11 00 00 09 00 00 00 00 00 00 00 00 00 00 00"
                + "05 00 fc ff 00 00 00 00"
                + "7d 21 ff ff 00 00 00 00"
                + "95 00 00 00 00 00 00 00",
                new BpfAssembler().label("begin").jumpIf(2, Jump.EQ, 0, "end").map(1, 9)
                        .jump("begin").label("end").jumpSigned(1, 2, "end").exit());
        assertCode("5d 23 00 00 00 00 00 00", new BpfAssembler()
                .jumpBy(3, Jump.NE, 2, "next").label("next"));
    }

    private static void assertCode(String hex, BpfAssembler code) {
        assertEquals(hex.replace(" ", ""), HexFormat.of().formatHex(code.bytes()));
    }
}
