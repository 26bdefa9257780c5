//! Static programs of some bytes for every platform an engine may run, put together from a table. What they do:
//! read one byte of their input, then end with a status of their own.

/// The exit status of a stub that ran to its end.
pub const STUB_STATUS: i32 = 42;

/// Where the one segment is loaded; a multiple of every page size in use.
const BASE: u32 = 0x40_0000;
const ALIGNMENT: u32 = 0x1_0000;

/// A platform's machine code and what its ELF head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The platform: `linux/amd64`.
    pub platform: &'static str,
    /// `e_machine`.
    pub number: u16,
    /// `e_flags`.
    pub flags: u32,
    /// Whether addresses have 64 bits.
    pub wide: bool,
    /// Whether the most significant byte comes first.
    pub big: bool,
    /// `read(0, sp - 16, 1); exit(42)` in its instructions.
    pub stub: &'static [u8],
}

/// The platforms known.
pub const MACHINES: [Machine; 7] = [
    Machine {
        platform: "linux/amd64",
        number: 62,
        flags: 0,
        wide: true,
        big: false,
        // xor eax,eax; xor edi,edi; lea rsi,[rsp-16]; mov edx,1; syscall; mov edi,42; mov eax,60; syscall
        stub: b"\x31\xc0\x31\xff\x48\x8d\x74\x24\xf0\xba\x01\0\0\0\x0f\x05\xbf\x2a\0\0\0\xb8\x3c\0\0\0\x0f\x05",
    },
    Machine {
        platform: "linux/386",
        number: 3,
        flags: 0,
        wide: false,
        big: false,
        // mov eax,3; xor ebx,ebx; lea ecx,[esp-16]; mov edx,1; int 0x80; mov ebx,42; mov eax,1; int 0x80
        stub: b"\xb8\x03\0\0\0\x31\xdb\x8d\x4c\x24\xf0\xba\x01\0\0\0\xcd\x80\xbb\x2a\0\0\0\xb8\x01\0\0\0\xcd\x80",
    },
    Machine {
        platform: "linux/arm64",
        number: 183,
        flags: 0,
        wide: true,
        big: false,
        // mov x0,0; sub x1,sp,16; mov x2,1; mov x8,63; svc 0; mov x0,42; mov x8,93; svc 0
        stub: b"\0\0\x80\xd2\xe1\x43\0\xd1\x22\0\x80\xd2\xe8\x07\x80\xd2\x01\0\0\xd4\x40\x05\x80\xd2\xa8\x0b\x80\xd2\x01\0\0\xd4",
    },
    Machine {
        platform: "linux/arm/v7",
        number: 40,
        // The current calling convention (EABI 5).
        flags: 0x0500_0000,
        wide: false,
        big: false,
        // mov r0,0; sub r1,sp,16; mov r2,1; mov r7,3; svc 0; mov r0,42; mov r7,1; svc 0
        stub: b"\0\0\xa0\xe3\x10\x10\x4d\xe2\x01\x20\xa0\xe3\x03\x70\xa0\xe3\0\0\0\xef\x2a\0\xa0\xe3\x01\x70\xa0\xe3\0\0\0\xef",
    },
    Machine {
        platform: "linux/riscv64",
        number: 243,
        flags: 0,
        wide: true,
        big: false,
        // li a0,0; addi a1,sp,-16; li a2,1; li a7,63; ecall; li a0,42; li a7,93; ecall
        stub: b"\x13\x05\0\0\x93\x05\x01\xff\x13\x06\x10\0\x93\x08\xf0\x03\x73\0\0\0\x13\x05\xa0\x02\x93\x08\xd0\x05\x73\0\0\0",
    },
    Machine {
        platform: "linux/ppc64le",
        number: 21,
        // The second version of its calling convention.
        flags: 2,
        wide: true,
        big: false,
        // li 3,0; addi 4,1,-16; li 5,1; li 0,3; sc; li 3,42; li 0,1; sc
        stub: b"\0\0\x60\x38\xf0\xff\x81\x38\x01\0\xa0\x38\x03\0\0\x38\x02\0\0\x44\x2a\0\x60\x38\x01\0\0\x38\x02\0\0\x44",
    },
    Machine {
        platform: "linux/s390x",
        number: 22,
        flags: 0,
        wide: true,
        big: true,
        // lghi 2,0; lgr 3,15; aghi 3,-16; lghi 4,1; svc 3; lghi 2,42; svc 1
        stub: b"\xa7\x29\0\0\xb9\x04\0\x3f\xa7\x3b\xff\xf0\xa7\x49\0\x01\x0a\x03\xa7\x29\0\x2a\x0a\x01",
    },
];

impl Machine {
    /// A static program whose only content is this code, as a whole file.
    #[must_use]
    pub fn program(&self, code: &[u8]) -> Vec<u8> {
        let head: u16 = if self.wide { 64 + 56 } else { 52 + 32 };
        let mut file = Writer { bytes: Vec::new(), wide: self.wide, big: self.big };
        file.bytes.extend_from_slice(b"\x7fELF");
        file.bytes.extend_from_slice(&[if self.wide { 2 } else { 1 }, if self.big { 2 } else { 1 }, 1]);
        file.bytes.resize(16, 0);
        // executable, machine, version, entry, program heads, no section heads, flags, sizes and counts
        file.half(2).half(self.number).word(1);
        file.address(BASE + u32::from(head)).address(if self.wide { 64 } else { 52 }).address(0).word(self.flags);
        file.half(if self.wide { 64 } else { 52 }).half(if self.wide { 56 } else { 32 }).half(1);
        file.half(0).half(0).half(0);
        // one segment, the whole file, to read and execute
        let length = u32::from(head) + u32::try_from(code.len()).unwrap_or(u32::MAX);
        file.word(1);
        if self.wide {
            file.word(5);
        }
        file.address(0).address(BASE).address(BASE).address(length).address(length);
        if !self.wide {
            file.word(5);
        }
        file.address(ALIGNMENT);
        file.bytes.extend_from_slice(code);
        file.bytes
    }
}

struct Writer {
    bytes: Vec<u8>,
    wide: bool,
    big: bool,
}

impl Writer {
    fn half(&mut self, value: u16) -> &mut Self {
        self.bytes.extend_from_slice(&if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn word(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn address(&mut self, value: u32) -> &mut Self {
        match (self.wide, self.big) {
            (false, _) => self.word(value),
            (true, true) => self.word(0).word(value),
            (true, false) => self.word(value).word(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every head, read back the way a kernel reads it.
    #[test]
    fn heads_fit_their_platforms() {
        for machine in MACHINES {
            let file = machine.program(machine.stub);
            let number = |at: usize, length: usize| {
                let bytes = &file[at..at + length];
                let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
                if machine.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
            };
            let (address, segments) = if machine.wide { (8, 64) } else { (4, 52) };
            assert_eq!(file[..4], *b"\x7fELF");
            assert_eq!((number(16, 2), number(18, 2)), (2, u64::from(machine.number)), "{}", machine.platform);
            let entry = number(24, address) - u64::from(BASE);
            assert_eq!(&file[usize::try_from(entry).unwrap()..], machine.stub, "{}", machine.platform);
            assert_eq!(number(24 + address, address), segments);
            assert_eq!(number(24 + 3 * address, 4), u64::from(machine.flags));
            let segment = usize::try_from(segments).unwrap();
            assert_eq!(number(segment, 4), 1, "it is loaded");
            let (flags, length) = if machine.wide { (segment + 4, segment + 32) } else { (segment + 24, segment + 16) };
            assert_eq!(number(flags, 4), 5, "to read and execute");
            assert_eq!(number(length, address), file.len() as u64);
        }
    }
}
