//! What is mounted over the files of an image: the engine's own files and the kernel's file systems are left out of a
//! walk; a volume that the image declares holds the image's files and is walked.

use std::collections::HashSet;
use std::fs;

/// Places of mounted single files, and of file systems that are the kernel's.
pub fn to_skip() -> HashSet<Vec<u8>> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    parse(&table, |path| fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir()))
}

/// File systems that never hold an image's files.
const KERNELS: [&str; 10] =
    ["proc", "sysfs", "tmpfs", "devtmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "securityfs", "debugfs"];

fn parse(table: &str, is_file: impl Fn(&str) -> bool) -> HashSet<Vec<u8>> {
    let place = |line: &str| {
        let (mount, source) = line.split_once(" - ")?;
        let path = unescaped(mount.split(' ').nth(4)?);
        let kernels = source.split(' ').next().is_some_and(|kind| KERNELS.contains(&kind));
        (path != "/" && (kernels || is_file(&path))).then(|| path.into_bytes())
    };
    table.lines().filter_map(place).collect()
}

/// The kernel writes spaces, tabs, line ends and backslashes in octal.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_mounts_are_told_from_the_images_volumes() {
        let table = "\
535 444 0:49 / / ro,relatime master:194 - overlay overlay rw,lowerdir=/a
536 535 0:52 / /proc rw,nosuid - proc proc rw
537 535 0:53 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
540 535 254:0 /v/1/_data /.silidock rw,relatime master:1 - ext4 /dev/vda rw
541 535 254:0 /v/2/_data /var/lib/my\\040data rw,relatime master:1 - ext4 /dev/vda rw
542 535 254:0 /c/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw
";
        let skipped = parse(table, |path| path == "/etc/hosts");
        let expected = ["/proc", "/dev", "/etc/hosts"].map(|path| path.as_bytes().to_vec());
        assert_eq!(skipped, HashSet::from(expected));
        assert!(parse(table, |path| path == "/var/lib/my data").contains(&b"/var/lib/my data"[..]));
    }
}
