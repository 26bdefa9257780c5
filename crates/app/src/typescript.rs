//! The TypeScript face of the wire: every type that crosses it, and the table of commands, as one file.

use std::{any::TypeId, collections::BTreeMap};

use ts_rs::{Config, TS, TypeVisitor};

use crate::wire::Event;

/// Gathers declarations of everything a type is made of.
struct Gatherer {
    config: Config,
    seen: Vec<TypeId>,
    declarations: BTreeMap<String, String>,
}

impl TypeVisitor for Gatherer {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Only derived types have a place to be written to; numbers, lists and the like are TypeScript's own.
        if self.seen.contains(&TypeId::of::<T>()) || T::output_path().is_none() {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        let docs = T::docs().unwrap_or_default();
        let declaration = format!("{docs}export {}", T::decl(&self.config));
        self.declarations.insert(T::ident(&self.config), declaration);
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl Gatherer {
    fn add<T: TS + 'static>(&mut self) -> String {
        self.visit::<T>();
        T::name(&self.config)
    }
}

/// The content of `ui/src/host/generated.ts`.
pub fn typescript() -> String {
    let mut gatherer = Gatherer { config: Config::default(), seen: Vec::new(), declarations: BTreeMap::new() };
    let mut commands = String::new();
    macro_rules! rows {
        ($($name:ident($request:ty) -> $response:ty, $what:literal;)*) => {
            $({
                use $crate::wire::*;
                let request = gatherer.add::<$request>();
                let response = gatherer.add::<$response>();
                commands.push_str(&format!("  /** {} */\n  {}: {{ request: {request}; response: {response} }};\n", $what, stringify!($name)));
            })*
        };
    }
    crate::command_table!(rows);
    gatherer.add::<crate::failure::Failure>();
    gatherer.add::<Event>();
    let types: Vec<String> = gatherer.declarations.into_values().collect();
    format!(
        "// Generated from the Rust types by `cargo test --test generated`; do not edit.\n\n{}\n\n\
         /** Every command, its request and its response. A rejection is a Failure. */\nexport interface Commands {{\n{commands}}}\n",
        types.join("\n\n")
    )
}
