//! Mach-O, thin and fat. Also tells a Java class from a fat file: both begin with `CAFEBABE`.

use goblin::mach::{
    fat::{FAT_CIGAM, FAT_MAGIC},
    header::{MH_BUNDLE, MH_CIGAM, MH_CIGAM_64, MH_DYLIB, MH_EXECUTE, MH_MAGIC, MH_MAGIC_64},
};
use scroll::{BE, Endian, LE, Pread};
use serde::{Deserialize, Serialize};

use crate::{Format, Kind, Role, architecture::mach_architecture, input::Input};

/// A macOS program or library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MachO {
    /// `darwin/arm64`; of a fat file one for each part whose processor is known.
    pub platforms: Vec<String>,
    /// Whether it holds parts for several processors.
    pub fat: bool,
    /// What it is for; of a fat file that of its first part, [`Role::Other`] where that could not be read.
    pub role: Role,
}

const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// A fat file has a part per processor; where a class file has its version, which began at 45.
const PARTS: u32 = 20;

/// None where it is neither.
pub(crate) fn read(input: &mut Input<'_, '_>) -> Option<Kind> {
    let magic: u32 = input.head.pread_with(0, BE).ok()?;
    match magic {
        FAT_MAGIC | FAT_MAGIC_64 => {
            let Some(count) = number(input, 4, BE) else { return Some(Kind::Cut(Format::MachO)) };
            if magic == FAT_MAGIC && count > PARTS {
                return Some(Kind::JavaClass);
            }
            Some(fat(input, count.min(PARTS), magic == FAT_MAGIC_64))
        }
        FAT_CIGAM => None,
        MH_MAGIC | MH_MAGIC_64 => Some(thin(input, 0, BE)),
        MH_CIGAM | MH_CIGAM_64 => Some(thin(input, 0, LE)),
        _ => None,
    }
}

fn number(input: &mut Input<'_, '_>, offset: u64, endian: Endian) -> Option<u32> {
    input.bytes(offset, 4)?.pread_with(0, endian).ok()
}

fn thin(input: &mut Input<'_, '_>, at: u64, endian: Endian) -> Kind {
    let (Some(cpu), Some(subtype), Some(role)) =
        (number(input, at + 4, endian), number(input, at + 8, endian), number(input, at + 12, endian))
    else {
        return Kind::Cut(Format::MachO);
    };
    let platforms = mach_architecture(cpu, subtype).map(|name| format!("darwin/{name}")).into_iter().collect();
    Kind::MachO(MachO { platforms, fat: false, role: self::role(role) })
}

fn fat(input: &mut Input<'_, '_>, count: u32, wide: bool) -> Kind {
    let mut platforms = Vec::new();
    let mut first = None;
    for part in 0..u64::from(count) {
        let at = 8 + part * if wide { 32 } else { 20 };
        let (Some(cpu), Some(subtype)) = (number(input, at, BE), number(input, at + 4, BE)) else {
            return Kind::Cut(Format::MachO);
        };
        // The offset of a part is kept within 32 bits: what begins beyond is not read.
        let offset = number(input, at + if wide { 12 } else { 8 }, BE);
        first = first.or(offset);
        platforms.extend(mach_architecture(cpu, subtype).map(|name| format!("darwin/{name}")));
    }
    let role = first.and_then(|offset| {
        let at = u64::from(offset);
        let endian = match number(input, at, BE)? {
            MH_MAGIC | MH_MAGIC_64 => BE,
            MH_CIGAM | MH_CIGAM_64 => LE,
            _ => return None,
        };
        number(input, at + 12, endian).map(role)
    });
    Kind::MachO(MachO { platforms, fat: true, role: role.unwrap_or(Role::Other) })
}

fn role(number: u32) -> Role {
    match number {
        MH_EXECUTE => Role::Program,
        MH_DYLIB | MH_BUNDLE => Role::Library,
        1 => Role::Object,
        4 => Role::Core,
        _ => Role::Other,
    }
}
