//! What a container wrote outside of volumes, as far as somebody would miss it: what lies in places that are emptied or made
//! anew at every start is no loss.

/// Places whose content lasts no longer than a run, by the Filesystem Hierarchy Standard or because the engine makes them.
const PASSING: [&str; 7] = ["/tmp", "/run", "/var/run", "/var/cache", "/dev", "/proc", "/sys"];
/// Files that the engine puts or mounts there, its own init among them.
const ENGINES: [&str; 6] =
    ["/.dockerenv", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/sbin/docker-init"];

/// A path is changed, not added or removed: of a folder that says only that something in it is.
const CHANGED: u8 = 0;

/// Of the paths that an engine says differ from the image (with its kind: 0 changed, 1 added, 2 removed), those that would be
/// missed. Folders above them are left out, and so are those that the engine made to mount something there. In order.
pub fn lasting<'a>(changed: impl Iterator<Item = (&'a str, u8)>, mounted: &[&str]) -> Vec<String> {
    let all: Vec<(&str, u8)> = changed.collect();
    let below = |folder: &str, path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let passing = |path: &str| PASSING.iter().any(|place| path == *place || below(place, path));
    let lasts = |(path, kind): &&(&str, u8)| {
        let only_above = *kind == CHANGED && all.iter().any(|(other, _)| below(path, other));
        let mut targets = mounted.iter().chain(&ENGINES);
        let to_mount = targets.any(|target| target.trim_end_matches('/') == *path || below(path, target));
        !passing(path) && !only_above && !to_mount
    };
    let mut found: Vec<String> = all.iter().filter(lasts).map(|(path, _)| (*path).to_owned()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_missed() {
        type Row = (&'static [(&'static str, u8)], &'static [&'static str]);
        let rows: [Row; 7] = [
            (&[], &[]),
            (&[("/srv", 1), ("/srv/db", 1), ("/m", 1), ("/srv/own", 1)], &["/srv/own"]),
            (
                &[
                    ("/run", 0),
                    ("/run/nginx.pid", 1),
                    ("/var", 0),
                    ("/var/cache", 0),
                    ("/var/cache/x", 1),
                    ("/etc", 0),
                    ("/etc/hosts", 1),
                ],
                &[],
            ),
            (
                &[("/etc", 0), ("/etc/nginx", 0), ("/etc/nginx/a.conf", 1), ("/srv/old", 2)],
                &["/etc/nginx/a.conf", "/srv/old"],
            ),
            // --init in an image without that folder, and what somebody put beside it.
            (&[("/sbin", 1), ("/sbin/docker-init", 1)], &[]),
            (&[("/sbin", 0), ("/sbin/docker-init", 1), ("/sbin/own", 1)], &["/sbin/own"]),
            (&[("/runner", 1), ("/data", 1), ("/data/x", 1)], &["/data", "/data/x", "/runner"]),
        ];
        for (changed, expected) in rows {
            assert_eq!(lasting(changed.iter().copied(), &["/srv/db", "/m/"]), expected, "{changed:?}");
        }
    }
}
