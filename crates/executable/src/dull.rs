//! Names of files that nothing starts and nothing loads unless they have an execute bit: sources, documents, pictures.
//! So they need not be opened. Names without an ending, and those of programs and libraries, are never among them.

/// Whether a file of this name, *without* any execute bit, holds no code that a kernel or a loader would ever be given.
#[must_use]
pub fn is_dull(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return false };
    let ending = &name[dot + 1..];
    // A dot file's name is no ending.
    dot > 0 && ending.len() <= LONGEST && ENDINGS.binary_search(&ending).is_ok()
}

/// A file of no format that is run or loaded is shorter: 28 bytes are the smallest head of them all.
pub const SHORTEST_CODE: u64 = 28;

/// Whether the first bytes can be those of a program, a library or a script.
#[must_use]
pub fn may_be_code(head: &[u8]) -> bool {
    matches!(
        head,
        [0x7f, b'E', b'L', b'F', ..]
            | [b'#', b'!', ..]
            | [b'M', b'Z', ..]
            | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
            | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
            | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..]
            | [0xef, 0xbb, 0xbf, b'#', b'!', ..]
    )
}

const LONGEST: usize = 10;

/// Sorted.
const ENDINGS: &[&[u8]] = &[
    b"1",
    b"3",
    b"5",
    b"7",
    b"8",
    b"adoc",
    b"c",
    b"cc",
    b"cfg",
    b"cmake",
    b"conf",
    b"cpp",
    b"crt",
    b"cs",
    b"css",
    b"csv",
    b"cts",
    b"cxx",
    b"dat",
    b"el",
    b"elc",
    b"enc",
    b"eot",
    b"f90",
    b"feature",
    b"gif",
    b"go",
    b"gz",
    b"h",
    b"hpp",
    b"htm",
    b"html",
    b"ico",
    b"inc",
    b"ini",
    b"ipynb",
    b"jar",
    b"java",
    b"jpeg",
    b"jpg",
    b"js",
    b"json",
    b"jsx",
    b"kt",
    b"less",
    b"list",
    b"lock",
    b"log",
    b"lua",
    b"m4",
    b"map",
    b"md",
    b"md5sums",
    b"mjs",
    b"mo",
    b"mp3",
    b"mp4",
    b"mts",
    b"npy",
    b"npz",
    b"otf",
    b"pc",
    b"pdf",
    b"pem",
    b"php",
    b"pl",
    b"pm",
    b"png",
    b"po",
    b"pod",
    b"properties",
    b"proto",
    b"pxd",
    b"py",
    b"pyc",
    b"pyi",
    b"pyo",
    b"pyx",
    b"rb",
    b"ri",
    b"rs",
    b"rst",
    b"sass",
    b"scss",
    b"sql",
    b"svelte",
    b"svg",
    b"tcl",
    b"tex",
    b"tmpl",
    b"toml",
    b"ts",
    b"tsv",
    b"tsx",
    b"ttf",
    b"txt",
    b"vim",
    b"vue",
    b"wav",
    b"webp",
    b"whl",
    b"woff",
    b"woff2",
    b"xml",
    b"xsd",
    b"xsl",
    b"xz",
    b"yaml",
    b"yml",
    b"zip",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_endings_are_dull() {
        assert!(ENDINGS.is_sorted() && ENDINGS.iter().all(|ending| ending.len() <= LONGEST));
        for (name, expected) in [
            ("a.py", true),
            ("index.min.js", true),
            ("libc.so.6", false),
            ("a.node", false),
            ("a.so", false),
            ("a.exe", false),
            ("entrypoint.sh", false),
            ("node", false),
            (".py", false),
            ("a.", false),
            ("a.PY", false),
            ("", false),
        ] {
            assert_eq!(is_dull(name.as_bytes()), expected, "{name}");
        }
    }
}
