//! Which 32-bit ARM: the variant (`v5`, `v6`, `v7`) from the build attributes, else from the loader and the flags.

use goblin::elf::section_header::SectionHeader;

use crate::{Elf, elf::Front, input::Input};

const SHT_ARM_ATTRIBUTES: u32 = 0x7000_0003;
const FLOAT_HARD: u32 = 0x400;
const FLOAT_SOFT: u32 = 0x200;

/// The variant; none for another architecture, and where the file does not say.
pub(crate) fn variant(architecture: &str, front: &Front, elf: &Elf, input: &mut Input<'_, '_>) -> Option<&'static str> {
    if architecture != "arm" {
        return None;
    }
    let attributes = attributes(front, input).and_then(|bytes| of_attributes(&bytes));
    attributes.or_else(|| {
        // The loader for hard floats is Debian's and Fedora's, both built for v7; musl's is also Alpine's for v6.
        let loader = elf.interpreter.as_deref().unwrap_or_default();
        if loader.ends_with("/ld-linux-armhf.so.3") {
            Some("v7")
        } else if elf.flags & FLOAT_HARD != 0 {
            None
        } else {
            (elf.flags & FLOAT_SOFT != 0 && loader.ends_with("/ld-linux.so.3")).then_some("v5")
        }
    })
}

/// The bytes of the section with the build attributes, 4 KiB at most.
fn attributes(front: &Front, input: &mut Input<'_, '_>) -> Option<Vec<u8>> {
    let (count, size) = (usize::from(front.header.e_shnum), SectionHeader::size(front.ctx));
    if count == 0 || count > 512 || usize::from(front.header.e_shentsize) != size {
        return None;
    }
    let table = input.bytes(front.header.e_shoff, count * size)?;
    let headers = SectionHeader::parse_from(&table, 0, count, front.ctx).ok()?;
    let section = headers.iter().find(|header| header.sh_type == SHT_ARM_ATTRIBUTES)?;
    let length = usize::try_from(section.sh_size).ok()?.min(4096);
    Some(input.bytes(section.sh_offset, length)?.into_owned())
}

/// `Tag_CPU_arch` of the file-wide "aeabi" attributes. Layout: `A`, then vendors' blocks of length (4 bytes), name,
/// and sub-blocks of tag, length (4 bytes), attributes.
fn of_attributes(bytes: &[u8]) -> Option<&'static str> {
    let block = bytes.strip_prefix(b"A")?.get(4..)?.strip_prefix(b"aeabi\0")?;
    let (1, attributes) = (*block.first()?, block.get(5..)?) else { return None };
    let mut rest = Attributes(attributes);
    loop {
        match rest.number()? {
            // Processor names: text.
            4 | 5 | 67 => rest.text()?,
            // Tag_CPU_arch
            6 => {
                return match rest.number()? {
                    3..=5 => Some("v5"),
                    6..=9 | 11 | 12 => Some("v6"),
                    10 | 13 => Some("v7"),
                    14..=15 => Some("v8"),
                    _ => None,
                };
            }
            // Compatibility: a number and text. Above, odd tags are text and even ones numbers.
            32 => {
                rest.number()?;
                rest.text()?;
            }
            tag if tag > 32 && tag % 2 == 1 => rest.text()?,
            _ => {
                rest.number()?;
            }
        }
    }
}

struct Attributes<'a>(&'a [u8]);

impl Attributes<'_> {
    /// A number in groups of seven bits, the least significant first.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<()> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        self.0 = self.0.get(end + 1..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_say_which_arm() {
        let with = |attributes: &[u8]| {
            let length = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
            [&b"A"[..], &length(15 + attributes.len()), b"aeabi\0", &[1], &length(5 + attributes.len()), attributes]
                .concat()
        };
        for (attributes, expected) in [
            (&b"\x05Cortex-A7\0\x06\x0a"[..], Some("v7")),
            (b"\x06\x06\x08\x01", Some("v6")),
            (b"\x08\x01\x06\x04", Some("v5")),
            (b"\x20\x01gnu\0\x06\x0e", Some("v8")),
            (b"\x06\x02", None),
            (b"\x05unended", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"", None),
        ] {
            assert_eq!(of_attributes(&with(attributes)), expected, "{attributes:?}");
        }
    }
}
