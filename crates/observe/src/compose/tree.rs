//! A Compose text as a tree that knows the line of each value, reduced to the keys that platforms are judged by. Two
//! parsers read it: a strict one says what is there, a lossless one says where. What the second cannot place has no line.
//!
//! Deliberately not here: variables, and what several files mean together.

use std::{collections::HashMap, path::Path, rc::Rc, str::FromStr};

use serde::Deserialize;
use yaml_edit::{AnchorRegistry, YamlFile, YamlNode};
use yaml_serde::{Deserializer, Value};

use super::scalar;

/// Keys of a service that are kept; of the last two, names of files. Nothing else of it is: environments hold secrets.
const OF_SERVICES: [&str; 7] = ["image", "platform", "build", "extends", "profiles", "env_file", "label_file"];

/// A value, and the place that set it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub at: Place,
    pub tag: Option<Tag>,
    pub content: Content,
}

/// File and line, from 1.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub file: Rc<str>,
    pub line: Option<u32>,
    /// No alias, merge key, `extends` or variable brings it.
    pub own: bool,
}

/// Tags by which a file takes back what an earlier one says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Reset,
    Override,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Null,
    /// Text is what variables are replaced in; numbers and the like stay as they are.
    Scalar {
        text: String,
        is_text: bool,
        unset: Vec<String>,
    },
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }
    pub fn map(&self) -> Option<&Vec<(String, Self)>> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }
    pub fn map_mut(&mut self) -> Option<&mut Vec<(String, Self)>> {
        match &mut self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }
    pub fn list(&self) -> Option<&Vec<Self>> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }
    /// A mapping with nothing in it, placed as this is.
    pub fn empty(&self) -> Self {
        Self { at: self.at.clone(), tag: None, content: Content::Map(Vec::new()) }
    }
    /// A text, placed as this is.
    pub fn with_text(&self, text: &str) -> Self {
        let content = Content::Scalar { text: text.to_owned(), is_text: true, unset: self.unset().to_vec() };
        Self { at: self.at.clone(), tag: None, content }
    }
    pub fn unset(&self) -> &[String] {
        match &self.content {
            Content::Scalar { unset, .. } => unset,
            _ => &[],
        }
    }
    /// Somebody else's, from now on.
    pub fn disown(&mut self) {
        self.at.own = false;
        match &mut self.content {
            Content::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.disown()),
            Content::List(items) => items.iter_mut().for_each(Self::disown),
            Content::Null | Content::Scalar { .. } => {}
        }
    }
}

/// The documents of a text, in order, or why it cannot be read.
pub(super) fn documents(path: &Path, text: &str) -> Result<Vec<Node>, String> {
    let places = YamlFile::from_str(text).ok();
    let placed: Vec<_> = places.iter().flat_map(YamlFile::documents).collect();
    let file: Rc<str> = path.display().to_string().into();
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut read = Vec::new();
    for (number, deserializer) in Deserializer::from_str(text).enumerate() {
        let value = Value::deserialize(deserializer).map_err(|error| format!("it is not valid YAML: {error}"))?;
        let document = placed.get(number);
        let anchors = document.map_or_else(AnchorRegistry::new, AnchorRegistry::from_document);
        let root = document.and_then(|document| document.as_mapping()).map(YamlNode::Mapping);
        let reader = Reader { starts: &starts, anchors };
        let start = Place { file: file.clone(), line: None, own: true };
        read.push(reader.node(&value, root, start, Level::Root));
    }
    Ok(read)
}

/// Where in a document a mapping stands, which decides what of it is kept.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Services,
    Service,
    Inside,
}

impl Level {
    fn below(self, key: &str) -> Option<Self> {
        match (self, key) {
            (level, "<<") => Some(level),
            (Self::Root, "services") => Some(Self::Services),
            (Self::Root, "include" | "name") | (Self::Inside, _) => Some(Self::Inside),
            (Self::Services, _) => Some(Self::Service),
            (Self::Service, key) => OF_SERVICES.contains(&key).then_some(Self::Inside),
            (Self::Root, _) => None,
        }
    }
}

struct Reader<'a> {
    starts: &'a [usize],
    anchors: AnchorRegistry,
}

impl Reader<'_> {
    fn node(&self, value: &Value, place: Option<YamlNode>, at: Place, level: Level) -> Node {
        let (place, at) = self.followed(place, at);
        match value {
            Value::Null => Node { at, tag: None, content: Content::Null },
            Value::Tagged(tagged) => {
                let tag = match tagged.tag.to_string().trim_start_matches('!') {
                    "reset" => Some(Tag::Reset),
                    "override" => Some(Tag::Override),
                    _ => None,
                };
                Node { tag, ..self.node(&tagged.value, place, at, level) }
            }
            Value::Sequence(items) => {
                let placed: Vec<YamlNode> = place.as_ref().and_then(sequence).unwrap_or_default();
                let item = |(number, item): (usize, &Value)| {
                    let place = placed.get(number).cloned();
                    let line = place.as_ref().and_then(|place| self.line(place)).or(at.line);
                    self.node(item, place, Place { line, ..at.clone() }, level)
                };
                let content = Content::List(items.iter().enumerate().map(item).collect());
                Node { at, tag: None, content }
            }
            Value::Mapping(entries) => {
                let content = Content::Map(self.entries(entries, place.as_ref(), &at, level));
                Node { at, tag: None, content }
            }
            other => {
                let text = scalar(other).unwrap_or_default();
                let is_text = matches!(other, Value::String(_));
                Node { at, tag: None, content: Content::Scalar { text, is_text, unset: Vec::new() } }
            }
        }
    }

    /// The entries that are kept, merge keys worked out: what stands here wins over what is merged in, and the first that
    /// is merged in over the next.
    fn entries(
        &self,
        entries: &yaml_serde::Mapping,
        place: Option<&YamlNode>,
        at: &Place,
        level: Level,
    ) -> Vec<(String, Node)> {
        let placed = place.map(keyed).unwrap_or_default();
        let mut own = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in entries {
            let Some((key, below)) = scalar(key).and_then(|key| Some((key.clone(), level.below(&key)?))) else {
                continue;
            };
            let (line, place) = match placed.get(&key) {
                Some((key, value)) => (self.line(key).or(at.line), value.clone()),
                None => (at.line, None),
            };
            let node = self.node(value, place, Place { line, ..at.clone() }, below);
            match key.as_str() {
                "<<" => merged.push(node),
                _ => own.push((key, node)),
            }
        }
        for node in merged {
            let sources = match node.content {
                Content::List(sources) => sources,
                _ => vec![node],
            };
            for mut source in sources {
                source.disown();
                let brought = source.map_mut().map(std::mem::take).unwrap_or_default();
                for (key, node) in brought {
                    if own.iter().all(|(known, _)| *known != key) {
                        own.push((key, node));
                    }
                }
            }
        }
        own
    }

    /// Behind an alias stands somebody else's value, at a line of its own.
    fn followed(&self, place: Option<YamlNode>, at: Place) -> (Option<YamlNode>, Place) {
        let Some(YamlNode::Alias(alias)) = &place else { return (place, at) };
        let target = self.anchors.resolve(&alias.name()).cloned();
        let node = target.and_then(|node| {
            YamlNode::from_syntax(node.clone()).or_else(|| node.children().find_map(YamlNode::from_syntax))
        });
        let nested = node.as_ref().is_some_and(|node| !node.is_scalar());
        (node, Place { own: at.own && !nested, ..at })
    }

    fn line(&self, node: &YamlNode) -> Option<u32> {
        let offset = node.byte_range().start as usize;
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).ok().filter(|line| *line > 0)
    }
}

fn sequence(place: &YamlNode) -> Option<Vec<YamlNode>> {
    let tagged = place.as_tagged().and_then(yaml_edit::TaggedNode::as_sequence);
    let list = place.as_sequence().cloned().or(tagged)?;
    Some(list.values().collect())
}

/// Key and value of each entry, by the key's text.
fn keyed(place: &YamlNode) -> HashMap<String, (YamlNode, Option<YamlNode>)> {
    let tagged = place.as_tagged().and_then(yaml_edit::TaggedNode::as_mapping);
    let Some(mapping) = place.as_mapping().cloned().or(tagged) else { return HashMap::new() };
    let named = mapping.entries().filter_map(|entry| {
        let key = entry.key_node()?;
        let name = key.as_scalar()?.as_string();
        Some((name, (key, entry.value_node())))
    });
    named.collect()
}
