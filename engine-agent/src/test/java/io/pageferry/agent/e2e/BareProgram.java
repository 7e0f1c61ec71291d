package io.pageferry.agent.e2e;

/** What a {@link BareGuest} executes: the code of a boot sector, loaded at 0x7c00. */
enum BareProgram {
    /** Counts at 0x7e10, and does what the byte at 0x7e00 says, which a test writes there. */
    COUNTS(64L << 20, new int[] {
        0x31, 0xc0, 0x8e, 0xd8,             // xor ax,ax; mov ds,ax
        0xa0, 0x00, 0x7e,                   // again: mov al,[0x7e00]
        0x3c, 'P', 0x74, 0x0f,            // cmp al,'P'; je panic
        0x3c, 'S', 0x74, 0x18,         // cmp al,'S'; je shutdown
        0x3c, 'R', 0x74, 0x1c,            // cmp al,'R'; je reset
        0x66, 0xff, 0x06, 0x10, 0x7e,       // inc dword [0x7e10]
        0xeb, 0xea,                         // jmp again
        0xc6, 0x06, 0x00, 0x7e, 0x00,       // panic: mov byte [0x7e00],0
        0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, // mov dx,0x505; mov al,1; out dx,al
        0xeb, 0xdd,                         // jmp again
        0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, // shutdown: mov dx,0x604; mov ax,0x2000
        0xef, 0xf4,                         // out dx,ax; hlt
        0xc6, 0x06, 0x00, 0x7e, 0x00,       // reset: mov byte [0x7e00],0
        0xb0, 0xfe, 0xe6, 0x64, 0xf4,       // mov al,0xfe; out 0x64,al; hlt
    }),

    /**
     * Fills 16 MiB with what does not compress. Then it goes through them without end: looks
     * whether the first word of a page is what it was left as, else counts at 0x7e14, adds one
     * to it, counts at 0x7e10, and rests for 8 microseconds or so of TCG.
     */
    WRITES(48L << 20, new int[] {
        0xfa, 0x31, 0xc0, 0x8e, 0xd8,                   // cli; xor ax,ax; mov ds,ax
        0x0f, 0x01, 0x16, 0x97, 0x7c,                   // lgdt [gdtr]
        0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, // protected mode: cr0 |= 1
        0xea, 0x17, 0x7c, 0x08, 0x00,                   // jmp 8:next; now 32 bits
        0xb0, 0x10, 0x8e, 0xd8, 0x8e, 0xc0, 0xfc,       // next: ds and es flat; cld
        0xbf, 0x00, 0x00, 0x00, 0x01,                   // mov edi,16 MiB
        0xb8, 0x01, 0x00, 0x00, 0x00,                   // mov eax,1
        0x69, 0xc0, 0x0d, 0x66, 0x19, 0x00,             // fill: imul eax,eax,1664525
        0x05, 0x5f, 0xf3, 0x6e, 0x3c, 0xab,             // add eax,1013904223; stosd
        0x81, 0xff, 0x00, 0x00, 0x00, 0x02, 0x72, 0xec, // cmp edi,32 MiB; jb fill
        0x31, 0xdb,                                     // xor ebx,ebx
        0x81, 0xef, 0x00, 0x10, 0x00, 0x00, 0x89, 0x1f, // first: sub edi,4096; mov [edi],ebx
        0x81, 0xff, 0x00, 0x00, 0x00, 0x01, 0x77, 0xf0, // cmp edi,16 MiB; ja first
        0xbf, 0x00, 0x00, 0x00, 0x01,                   // pass: mov edi,16 MiB
        0x39, 0x1f, 0x74, 0x08,                         // page: cmp [edi],ebx; je good
        0xff, 0x05, 0x14, 0x7e, 0x00, 0x00, 0x89, 0x1f, // inc dword [0x7e14]; mov [edi],ebx
        0xff, 0x07, 0xff, 0x05, 0x10, 0x7e, 0x00, 0x00, // good: inc dword [edi]; inc [0x7e10]
        0xb9, 0x10, 0x27, 0x00, 0x00, 0xe2, 0xfe,       // mov ecx,10000; rest: loop rest
        0x81, 0xc7, 0x00, 0x10, 0x00, 0x00,             // add edi,4096
        0x81, 0xff, 0x00, 0x00, 0x00, 0x02, 0x72, 0xd7, // cmp edi,32 MiB; jb page
        0x43, 0xeb, 0xcf,                               // inc ebx; jmp pass
        0, 0, 0, 0, 0, 0, 0, 0,                         // gdt: none,
        0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0,             // all of memory as code,
        0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0,             // and as data
        0x17, 0x00, 0x7f, 0x7c, 0x00, 0x00,             // gdtr
    });

    /** Has {@link #COUNTS} panic through the pvpanic device. */
    static final char PANIC = 'P';
    /** Has it power off through ACPI. */
    static final char SHUTDOWN = 'S';
    /** Has it reset through the keyboard controller. */
    static final char RESET = 'R';

    private static final int FLOPPY = 1440 << 10;
    private static final int SIGNATURE = 510;

    private final long memory;
    private final int[] code;

    BareProgram(long memory, int[] code) {
        this.memory = memory;
        this.code = code;
    }

    /** The RAM that it is made for, in bytes. */
    long memory() {
        return memory;
    }

    /** A floppy of 1.44 MB with it in its boot sector. */
    byte[] floppy() {
        byte[] floppy = new byte[FLOPPY];
        for (int i = 0; i < code.length; i++) {
            floppy[i] = (byte) code[i];
        }
        floppy[SIGNATURE] = 0x55;
        floppy[SIGNATURE + 1] = (byte) 0xaa;
        return floppy;
    }
}
