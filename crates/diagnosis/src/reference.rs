//! Image references: when two spellings mean the same tag, and when a "reference" is really an id.

/// The full spelling: registry, path and tag; `nginx` is `docker.io/library/nginx:latest`.
/// `None` for an image id, which names content and no tag.
pub fn normalise(reference: &str) -> Option<String> {
    if is_id(reference) {
        return None;
    }
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host == "localhost" || host.contains(['.', ':']) => (host, path.to_owned()),
        Some(_) => ("docker.io", name.to_owned()),
        None => ("docker.io", format!("library/{name}")),
    };
    let host = if host == "index.docker.io" { "docker.io".to_owned() } else { host.to_ascii_lowercase() };
    let path = if host == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path };
    match digest {
        // The digest decides; a tag beside it is decoration.
        Some(digest) => Some(format!("{host}/{}@{digest}", path.split(':').next().unwrap_or_default())),
        None if path.contains(':') => Some(format!("{host}/{path}")),
        None => Some(format!("{host}/{path}:latest")),
    }
}

/// It can be the name of an image: what an engine would take, and no path.
pub fn is_reference(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let ends = |text: &str| text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let part = |(place, part): (usize, &str)| {
        let port = part.rsplit_once(':').filter(|(_, port)| place == 0 && port.bytes().all(|b| b.is_ascii_digit()));
        let part = port.map_or(part, |(host, _)| host);
        // The address of a registry may be one of IPv6.
        let address = place == 0 && part.starts_with('[') && part.ends_with(']');
        address || (word(part) && ends(part))
    };
    let digest = digest.is_none_or(|digest| digest.split_once(':').is_some_and(|(kind, hex)| word(kind) && word(hex)));
    digest && tag.is_none_or(|tag| word(tag) && ends(tag)) && path.split('/').enumerate().all(part)
}

/// An image id, whole or shortened, as `docker run` also takes it.
pub fn is_id(reference: &str) -> bool {
    let hex = reference.strip_prefix("sha256:").unwrap_or(reference);
    let whole = reference.starts_with("sha256:") || hex.len() == 12 || hex.len() == 64;
    whole && !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Names under which Silidock keeps images that it replaced: tags of this machine alone. They hold names of containers, so no
/// registry is asked about them.
pub const KEPT: &str = "silidock-kept";

/// A tag under which Silidock keeps an image.
pub fn is_kept(reference: &str) -> bool {
    let rest = normalise(reference).and_then(|full| full.strip_prefix("docker.io/").map(str::to_owned));
    rest.is_some_and(|path| path.split('/').next() == Some(KEPT))
}

/// An id as people read it: twelve digits, no algorithm.
pub fn short_id(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_reference() {
        let names =
            ["nginx", "acme/web:2", "registry:5000/app", "localhost:5000/a/b:1@sha256:ab", "4bcff63911fc", "sha256:ab"];
        for name in names.into_iter().chain(["[::1]:5000/app:1", "app@sha256:ab", "a_b/c__d:_x"]) {
            assert!(is_reference(name), "{name}");
        }
        let others = [
            "",
            "/",
            "../../../info",
            "/a/path",
            "./app",
            "a//b",
            "a/../b",
            "app:",
            ":1",
            "a b",
            "a?x",
            "a#b",
            "app@",
            "a%2f",
        ];
        for text in others.into_iter().chain(["--all", "é", "app:1:2/x", "a/b/"]) {
            assert!(!is_reference(text), "{text}");
        }
    }

    #[test]
    fn spellings_of_one_tag_are_equal() {
        for (given, expected) in [
            ("nginx", Some("docker.io/library/nginx:latest")),
            ("docker.io/library/nginx:latest", Some("docker.io/library/nginx:latest")),
            ("index.docker.io/library/nginx", Some("docker.io/library/nginx:latest")),
            ("docker.io/nginx", Some("docker.io/library/nginx:latest")),
            ("nginx:1@sha256:ab", Some("docker.io/library/nginx@sha256:ab")),
            ("GHCR.io/acme/web:2", Some("ghcr.io/acme/web:2")),
            ("acme/web:2", Some("docker.io/acme/web:2")),
            ("localhost/web", Some("localhost/web:latest")),
            ("registry:5000/app:1", Some("registry:5000/app:1")),
            ("registry:5000/app", Some("registry:5000/app:latest")),
            ("localhost:5000/foo@sha256:ab", Some("localhost:5000/foo@sha256:ab")),
            ("sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1", None),
            ("4bcff63911fc", None),
        ] {
            assert_eq!(normalise(given).as_deref(), expected, "{given}");
        }
        for (given, kept) in [
            ("silidock-kept/shop-web:20261120-000000-abcd-latest", true),
            ("docker.io/silidock-kept/acme/web:1", true),
            ("silidock-kept-not/web:1", false),
            ("ghcr.io/silidock-kept/web:1", false),
        ] {
            assert_eq!(is_kept(given), kept, "{given}");
        }
    }
}
