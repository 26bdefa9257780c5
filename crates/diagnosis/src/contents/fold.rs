//! Many odd files of one kind in one place are one: a folder with a number and some examples. Never more than a person
//! can read.

use std::collections::BTreeMap;

use super::OddFile;

/// Fewer in one folder are told one by one.
const ALONE: u64 = 3;
/// More groups of a kind are put together by the folders above.
const MOST_GROUPS: usize = 12;
const EXAMPLES: usize = 5;

/// Files that are the same matter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    check: String,
    arch: Option<String>,
    intended: Option<String>,
    layer: Option<u32>,
}

/// Folds; what is run first stays alone, in front.
pub(super) fn fold(odd: Vec<OddFile>) -> Vec<OddFile> {
    let (mut first, others): (Vec<_>, Vec<_>) = odd.into_iter().partition(|file| file.first);
    let mut kinds: BTreeMap<Kind, Vec<OddFile>> = BTreeMap::new();
    for file in others {
        let kind = Kind {
            check: file.check.clone(),
            arch: file.arch.clone(),
            intended: file.intended.clone(),
            layer: file.layer,
        };
        kinds.entry(kind).or_default().push(file);
    }
    let mut folded: Vec<OddFile> = kinds.into_values().flat_map(grouped).collect();
    // Problems before what is meant to be there.
    folded.sort_by(|one, other| (one.intended.is_some(), &one.path).cmp(&(other.intended.is_some(), &other.path)));
    first.append(&mut folded);
    first
}

fn grouped(files: Vec<OddFile>) -> Vec<OddFile> {
    let mut groups: BTreeMap<String, Vec<OddFile>> = BTreeMap::new();
    for file in files {
        groups.entry(above(&file.path).to_owned()).or_default().push(file);
    }
    while groups.len() > MOST_GROUPS {
        let Some(depth) = groups.keys().map(|folder| folder.matches('/').count()).max().filter(|depth| *depth > 1)
        else {
            break;
        };
        let deepest: Vec<String> =
            groups.keys().filter(|folder| folder.matches('/').count() == depth).cloned().collect();
        for folder in deepest {
            let mut moved = groups.remove(&folder).unwrap_or_default();
            groups.entry(above(&folder).to_owned()).or_default().append(&mut moved);
        }
    }
    groups.into_iter().flat_map(|(folder, files)| one_or_all(folder, files)).collect()
}

fn one_or_all(folder: String, mut files: Vec<OddFile>) -> Vec<OddFile> {
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let count: u64 = files.iter().map(|file| file.count).sum();
    if count <= ALONE {
        return files;
    }
    let examples = files.iter().take(EXAMPLES).map(|file| file.path.clone()).collect();
    let detail = match files.iter().all(|file| file.detail == files[0].detail) {
        true => files[0].detail.clone(),
        false => format!("{}, and others", files[0].detail),
    };
    let path = if folder.is_empty() { "/".to_owned() } else { folder };
    vec![OddFile { path, detail, count, examples, ..files.swap_remove(0) }]
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(path: &str, arch: &str) -> OddFile {
        OddFile {
            check: "foreign-binary".to_owned(),
            path: path.to_owned(),
            arch: Some(arch.to_owned()),
            detail: format!("is {arch}"),
            first: false,
            intended: None,
            count: 1,
            examples: Vec::new(),
            layer: None,
        }
    }

    #[test]
    fn many_become_one_and_few_stay() {
        let many = (0..400).map(|n| odd(&format!("/opt/tool/lib/{n}.so"), "linux/amd64"));
        let few = [odd("/opt/a", "linux/amd64"), odd("/opt/b", "linux/386")];
        let first = OddFile { first: true, ..odd("/opt/tool/lib/x", "linux/amd64") };
        let told: Vec<(String, u64)> =
            fold(many.chain(few).chain([first]).collect()).into_iter().map(|file| (file.path, file.count)).collect();
        let expected = [("/opt/tool/lib/x", 1), ("/opt/a", 1), ("/opt/b", 1), ("/opt/tool/lib", 400)];
        assert_eq!(told, expected.map(|(path, count)| (path.to_owned(), count)));
    }

    #[test]
    fn many_folders_are_put_together_by_those_above() {
        let wide: Vec<OddFile> =
            (0..5000).map(|n| odd(&format!("/srv/app/{}/{n}/bin/x", n % 40), "linux/amd64")).collect();
        let folded = fold(wide);
        assert_eq!(
            folded.iter().map(|file| (file.path.as_str(), file.count)).collect::<Vec<_>>(),
            [("/srv/app", 5000)]
        );
        assert_eq!(folded[0].examples.len(), EXAMPLES);
    }
}
