//! What does a bare name mean where it stands?
//!
//! From the innermost scope outwards: what is brought in, defined or bound there; then what the language sees without being
//! told: its package, what it includes, what it sources. The first scope that knows the name decides, also when what it knows
//! is only a variable: then the name means nothing of the project.

use std::collections::HashSet;

use crate::index::graph::imports::Brought;
use crate::index::graph::modules::{Files, folder_of};
use crate::index::graph::resolve::Resolver;
use crate::index::graph::world::{At, Def, Named, family};
use crate::index::language::{Kind, Use};

/// Modules followed from one re-export to the next.
const MAX_DEPTH: usize = 8;
/// Headers and scripts followed from one that is included.
const MAX_INCLUDED: usize = 200;

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One of these definitions; nearly always there is one.
    Defs(Vec<Def>),
    /// The module in these files.
    Module(Vec<String>),
    /// Something bound in a function, or brought in from outside the project.
    Foreign,
    /// Nobody says.
    Unknown,
}

/// How a name is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Look<'n> {
    /// The name.
    pub name: &'n str,
    /// How it is used; none for what stands in front of another name.
    pub how: Option<Use>,
    /// Whether a macro is called.
    pub is_macro: bool,
}

impl<'n> Look<'n> {
    /// For what stands in front of another name: a type or a module.
    pub fn owner(name: &'n str) -> Self {
        Self { name, how: None, is_macro: false }
    }

    /// Says whether a definition of this kind can be meant.
    pub fn fits(&self, language: &str, kind: Kind) -> bool {
        let is_type = matches!(kind, Kind::Class | Kind::Type | Kind::Interface);
        match self.how {
            None => is_type || matches!(kind, Kind::Module | Kind::Constant),
            Some(Use::Type) => is_type,
            Some(Use::Call | Use::Method) if language == "rust" => {
                self.is_macro == (kind == Kind::Macro)
                    && (is_type || matches!(kind, Kind::Function | Kind::Method | Kind::Constant | Kind::Macro))
            }
            Some(Use::Call) if language == "java" => is_type,
            Some(Use::Method) if language == "java" => kind == Kind::Method,
            Some(Use::Call | Use::Method) => {
                let is_callable = matches!(
                    kind,
                    Kind::Function | Kind::Method | Kind::Class | Kind::Type | Kind::Macro | Kind::Constant
                );
                is_callable
                    || (kind == Kind::Interface && language == "go")
                    || (kind == Kind::Declaration && family(language) == "c")
            }
        }
    }
}

impl Resolver<'_> {
    /// Returns what a bare name means at a place.
    pub fn bare(&self, at: &At, within: Option<u32>, look: Look<'_>) -> Meaning {
        let mut scope = within;
        loop {
            match self.in_scope(at, scope, look) {
                Meaning::Unknown => {}
                found => return found,
            }
            match scope {
                Some(number) => scope = at.parent(number),
                None => break,
            }
        }
        self.beyond(at, look)
    }

    /// Looks into one scope: a definition, or the top of the file.
    fn in_scope(&self, at: &At, scope: Option<u32>, look: Look<'_>) -> Meaning {
        if let Some(number) = scope.filter(|number| is_type_like(at.kind(*number))) {
            return self.in_type(at, number, look);
        }
        if let Some(meaning) = self.in_owner(at, scope, look) {
            return meaning;
        }
        let defined = self.defined(at, scope, look);
        let is_only_constant = defined.iter().all(|def| at.kind(def.number) == Kind::Constant);
        let brought: Vec<&Brought> = at
            .facts
            .imports
            .iter()
            .filter(|(brought, within)| *within == scope && brought.local.len() == 1 && brought.local[0] == look.name)
            .map(|(brought, _)| brought)
            .collect();
        // A constant that holds what was brought in says the same.
        if !brought.is_empty() && is_only_constant {
            return self.one_of(brought.into_iter().map(|brought| self.brought(at, scope, brought, look)));
        }
        let is_bound = at
            .facts
            .locals
            .iter()
            .any(|local| local.within == scope && local.name == look.name && !local.is_definition);
        if !defined.is_empty() {
            let is_doubtful = !brought.is_empty() || (is_bound && at.language != "ruby");
            return if is_doubtful {
                Meaning::Defs([defined.clone(), defined].concat())
            } else {
                Meaning::Defs(defined)
            };
        }
        // What Ruby calls with arguments is never a variable.
        if is_bound && !(at.language == "ruby" && look.how.is_some()) {
            return Meaning::Foreign;
        }
        if includes(at.language) {
            return Meaning::Unknown;
        }
        // What is brought in as a whole stands behind the file's own package.
        if scope.is_none()
            && (is_packaged(at.language) || at.language == "java")
            && let found @ Meaning::Defs(_) = self.beyond(at, look)
        {
            return found;
        }
        let stars = at.facts.imports.iter().filter(|(brought, within)| *within == scope && brought.is_star);
        self.one_of(stars.map(|(brought, _)| self.star(at, scope, brought, look)))
    }

    /// Types whose functions are called by their bare names.
    fn in_type(&self, at: &At, number: u32, look: Look<'_>) -> Meaning {
        let is_seen = matches!(at.language, "java" | "cpp" | "ruby" | "csharp" | "kotlin" | "scala");
        if !is_seen || look.is_macro {
            return Meaning::Unknown;
        }
        let members = self.members(&at.def(number), look);
        if members.is_empty() { Meaning::Unknown } else { Meaning::Defs(members) }
    }

    /// A function of C++ that stands away from its type sees what the type has.
    fn in_owner(&self, at: &At, scope: Option<u32>, look: Look<'_>) -> Option<Meaning> {
        let number = scope.filter(|_| at.language == "cpp")?;
        let owner = at.facts.more.get(number as usize)?.owner.as_ref()?;
        let is_bound = at.facts.locals.iter().any(|local| local.within == scope && local.name == look.name);
        if is_bound {
            return Some(Meaning::Foreign);
        }
        let members = self
            .classes_called(at, owner.last()?)
            .iter()
            .flat_map(|class| self.members(class, look))
            .collect::<Vec<_>>();
        (!members.is_empty()).then_some(Meaning::Defs(members))
    }

    fn defined(&self, at: &At, scope: Option<u32>, look: Look<'_>) -> Vec<Def> {
        let fits = |(number, found): &(usize, &crate::index::syntax::Definition)| {
            found.parent == scope && found.name == look.name && look.fits(at.language, found.kind)
                // Functions of Go's types, and of C++'s away from them, are not called by their bare names.
                && at.facts.more.get(*number).is_none_or(|more| more.owner.is_none())
        };
        let found: Vec<Def> =
            at.facts.definitions.iter().enumerate().filter(fits).map(|(number, _)| at.def(number as u32)).collect();
        prefer(found, |def| at.kind(def.number) != Kind::Declaration)
    }

    /// Returns the one thing several sources agree on.
    fn one_of(&self, all: impl Iterator<Item = Meaning>) -> Meaning {
        let (mut defs, mut modules, mut is_foreign) = (Vec::new(), Vec::new(), false);
        for meaning in all {
            match meaning {
                Meaning::Defs(found) => defs.extend(found),
                Meaning::Module(found) => modules.extend(found),
                Meaning::Foreign => is_foreign = true,
                Meaning::Unknown => {}
            }
        }
        defs.sort();
        defs.dedup();
        if !defs.is_empty() {
            Meaning::Defs(defs)
        } else if !modules.is_empty() {
            Meaning::Module(modules)
        } else if is_foreign {
            Meaning::Foreign
        } else {
            Meaning::Unknown
        }
    }

    /// Returns what something brought in is.
    pub fn brought(&self, at: &At, scope: Option<u32>, brought: &Brought, look: Look<'_>) -> Meaning {
        let deeper = self.deeper();
        if deeper.is_none() {
            return Meaning::Unknown;
        }
        let name = brought.name.as_deref().unwrap_or_default();
        if at.language == "php" {
            return self.of_package(at, Some(&brought.module), Look { name, ..look });
        }
        if is_packaged(at.language) {
            return match self.of_package_or_type(at, &brought.module, Look { name, ..look }) {
                Meaning::Unknown => Meaning::Foreign,
                found => found,
            };
        }
        if at.language == "rust" {
            let mut parts: Vec<String> = brought.module.split("::").map(str::to_owned).collect();
            parts.extend(brought.name.clone());
            return self.rust_path(at, scope, &parts, look);
        }
        let files = match self.world.modules.find(at.language, &at.path, &brought.module) {
            Files::Here(files) => files,
            // A class in a class, or a package whose name goes on in the name.
            Files::Elsewhere => Vec::new(),
        };
        let Some(name) = brought.name.as_deref() else {
            return if files.is_empty() { Meaning::Foreign } else { Meaning::Module(files) };
        };
        let given = self.one_of(files.iter().map(|file| self.export(file, Look { name, ..look })));
        if given != Meaning::Unknown {
            return given;
        }
        let separator = if at.language == "python" && brought.module.ends_with('.') { "" } else { "." };
        match self.world.modules.find(at.language, &at.path, &format!("{}{separator}{name}", brought.module)) {
            Files::Here(files) if at.language == "java" => {
                self.one_of(files.iter().map(|file| self.export(file, Look { name, ..look })))
            }
            Files::Here(files) if at.language == "python" => Meaning::Module(files),
            _ => Meaning::Foreign,
        }
    }

    fn star(&self, at: &At, scope: Option<u32>, brought: &Brought, look: Look<'_>) -> Meaning {
        let deeper = self.deeper();
        if deeper.is_none() {
            return Meaning::Unknown;
        }
        if at.language == "rust" {
            let parts: Vec<String> = brought.module.split("::").chain([look.name]).map(str::to_owned).collect();
            // What is not there may be in another module that is brought in whole.
            return match self.rust_path(at, scope, &parts, look) {
                Meaning::Foreign => Meaning::Unknown,
                found => found,
            };
        }
        if at.language == "php" {
            return self.of_package(at, Some(&brought.module), look);
        }
        if is_packaged(at.language) {
            return self.of_package_or_type(at, &brought.module, look);
        }
        match self.world.modules.find(at.language, &at.path, &brought.module) {
            Files::Here(files) if files.len() > 20 => {
                let all: HashSet<&str> = files.iter().map(String::as_str).collect();
                self.picked(at, look, |named| named.is_top && all.contains(&*named.def.path))
            }
            Files::Here(files) => match self.one_of(files.iter().map(|file| self.export(file, look))) {
                Meaning::Foreign => Meaning::Unknown,
                found => found,
            },
            Files::Elsewhere => Meaning::Unknown,
        }
    }

    /// Returns what a module gives out under a name.
    pub fn export(&self, file: &str, look: Look<'_>) -> Meaning {
        let deeper = self.deeper();
        let Some(at) = self.world.at(file).filter(|_| deeper.is_some()) else { return Meaning::Unknown };
        if look.name == "default" && family(at.language) == "script" {
            let Some(name) = at.facts.default.clone() else { return Meaning::Foreign };
            return self.in_scope(&at, None, Look { name: &name, ..look });
        }
        // What a file brings in it gives out in some languages only.
        let given = match at.language {
            "java" | "kotlin" | "scala" | "go" => match self.defined(&at, None, look) {
                found if found.is_empty() => Meaning::Unknown,
                found => Meaning::Defs(found),
            },
            _ => self.in_scope(&at, None, look),
        };
        match given {
            Meaning::Unknown if at.language == "java" => {
                // Something of the class the file is called after.
                let stem = file.rsplit('/').next().unwrap_or(file).split('.').next().unwrap_or_default();
                let classes = self.defined(&at, None, Look::owner(stem));
                let members: Vec<Def> = classes.iter().flat_map(|class| self.members(class, look)).collect();
                if members.is_empty() { Meaning::Unknown } else { Meaning::Defs(members) }
            }
            found => found,
        }
    }

    /// Follows a path of Rust through modules, types and what they give out.
    pub fn rust_path(&self, at: &At, scope: Option<u32>, parts: &[String], look: Look<'_>) -> Meaning {
        let mut parts = parts;
        // Modules within the file: the first `super` leads out of them, not out of the file.
        let mut inline = scope;
        while let Some(number) = inline.filter(|number| at.kind(*number) != Kind::Module) {
            inline = at.parent(number);
        }
        let mut is_left = false;
        while inline.is_some() && parts.first().is_some_and(|first| first == "super") {
            parts = &parts[1..];
            inline = at.parent(inline.unwrap_or_default());
            is_left = true;
        }
        if is_left && parts.first().is_none_or(|first| first != "super") {
            return self.steps(Meaning::Module(vec![at.path.to_string()]), parts, look);
        }
        if let Some((file, n)) = self.world.modules.rust_prefix(&at.path, parts) {
            return self.steps(Meaning::Module(vec![file]), &parts[n..], look);
        }
        match parts {
            [] => Meaning::Unknown,
            [first, ..] if matches!(first.as_str(), "std" | "core" | "alloc" | "crate" | "super") => Meaning::Foreign,
            // A module within the file, or a type of it.
            [first, rest @ ..] if first == "self" => self.steps(Meaning::Module(vec![at.path.to_string()]), rest, look),
            [first, rest @ ..] => {
                let own = self.defined(at, None, Look::owner(first));
                if own.is_empty() || rest.is_empty() {
                    Meaning::Foreign
                } else {
                    self.steps(Meaning::Defs(own), rest, look)
                }
            }
        }
    }

    /// Goes on from what is known, name by name; the last one is looked for as `look` says.
    pub fn steps(&self, from: Meaning, parts: &[String], look: Look<'_>) -> Meaning {
        let mut now = from;
        for (n, part) in parts.iter().enumerate() {
            let look = if n + 1 == parts.len() { Look { name: part, ..look } } else { Look::owner(part) };
            now = match now {
                Meaning::Module(files) => self.one_of(files.iter().map(|file| self.export(file, look))),
                Meaning::Defs(defs) => {
                    let mut members: Vec<Def> = defs.iter().flat_map(|def| self.members(def, look)).collect();
                    members.sort();
                    members.dedup();
                    if members.is_empty() { Meaning::Unknown } else { Meaning::Defs(members) }
                }
                other => return other,
            };
        }
        now
    }

    /// What a language sees beyond the file without being told.
    fn beyond(&self, at: &At, look: Look<'_>) -> Meaning {
        let folder = folder_of(&at.path);
        let is_test = |path: &str| path.ends_with("_test.go");
        match at.language {
            "go" => self.picked(at, look, |named| {
                named.is_top
                    && named.kind != Kind::Method
                    && folder_of(&named.def.path) == folder
                    && (is_test(&at.path) || !is_test(&named.def.path))
            }),
            "java" | "kotlin" | "scala" | "php" => self.of_package(at, at.facts.package.clone().as_deref(), look),
            "csharp" => self.of_namespaces(at, look),
            "c" | "cpp" => self.included(at, look),
            "bash" => self.sourced(at, look),
            "ruby" if look.how.is_none() || look.name.chars().next().is_some_and(char::is_uppercase) => {
                self.picked(at, look, |named| matches!(named.kind, Kind::Class | Kind::Module))
            }
            _ => Meaning::Unknown,
        }
    }

    /// Returns the definitions that are picked of all with the name.
    fn picked(&self, at: &At, look: Look<'_>, pick: impl Fn(&Named) -> bool) -> Meaning {
        let all = self.world.named(look.name, family(at.language)).into_iter();
        let found: Vec<Def> =
            all.filter(|named| look.fits(at.language, named.kind) && pick(named)).map(|named| named.def).collect();
        if found.is_empty() { Meaning::Unknown } else { Meaning::Defs(found) }
    }

    /// Returns what stands at the top of files of a package or namespace.
    fn of_package(&self, at: &At, package: Option<&str>, look: Look<'_>) -> Meaning {
        let package = package.map(|package| package.trim_matches('\\'));
        self.picked(at, look, |named| {
            let is_there = |other: At| {
                other.facts.package.as_deref().map(|own| own.trim_matches('\\'))
                    == package.filter(|package| !package.is_empty())
            };
            self.is_at_top(named) && self.world.at(&named.def.path).is_some_and(is_there)
        })
    }

    /// Returns what stands in a package, or belongs to a type of one: `a.b.C` is either.
    fn of_package_or_type(&self, at: &At, module: &str, look: Look<'_>) -> Meaning {
        let in_package = self.of_package(at, Some(module), look);
        let Some((package, name)) = module.rsplit_once('.').filter(|_| in_package == Meaning::Unknown) else {
            return in_package;
        };
        match self.of_package(at, Some(package), Look::owner(name)) {
            Meaning::Defs(types) => {
                let members: Vec<Def> = types.iter().flat_map(|class| self.members(class, look)).collect();
                if members.is_empty() { Meaning::Unknown } else { Meaning::Defs(members) }
            }
            _ => Meaning::Unknown,
        }
    }

    /// Returns what C# sees unasked: its own namespace, and those around it.
    fn of_namespaces(&self, at: &At, look: Look<'_>) -> Meaning {
        let mut namespace = at.facts.package.as_deref();
        loop {
            let found = self.of_package(at, namespace, look);
            let Some(inner) = namespace.filter(|_| found == Meaning::Unknown) else { return found };
            namespace = inner.rsplit_once('.').map(|(outer, _)| outer);
        }
    }

    /// A namespace in braces around a definition does not put it anywhere else.
    fn is_at_top(&self, named: &Named) -> bool {
        named.is_top
            || self
                .world
                .at(&named.def.path)
                .is_some_and(|at| at.parent(named.def.number).is_some_and(|parent| at.kind(parent) == Kind::Module))
    }

    /// Functions and types of C: announced in what the file includes, defined once in the project.
    fn included(&self, at: &At, look: Look<'_>) -> Meaning {
        let seen = self.closure(at);
        let all = self.world.named(look.name, family(at.language));
        let is_top = |named: &Named| {
            let Some(other) = self.world.at(&named.def.path) else { return false };
            let is_free = other.facts.more.get(named.def.number as usize).is_none_or(|more| more.owner.is_none());
            is_free && self.is_at_top(named)
        };
        let all: Vec<Named> =
            all.into_iter().filter(|named| look.fits(at.language, named.kind) && is_top(named)).collect();
        let is_seen = |named: &&Named| seen.contains(&*named.def.path);
        let here: Vec<Def> = all
            .iter()
            .filter(is_seen)
            .filter(|named| named.kind != Kind::Declaration)
            .map(|named| named.def.clone())
            .collect();
        if !here.is_empty() {
            return Meaning::Defs(here);
        }
        let is_announced = all.iter().any(|named| is_seen(&named));
        let is_static = |named: &Named| {
            self.world
                .at(&named.def.path)
                .is_some_and(|other| other.facts.more.get(named.def.number as usize).is_some_and(|more| more.is_static))
        };
        let elsewhere: Vec<Def> = all
            .iter()
            .filter(|named| !matches!(named.kind, Kind::Declaration | Kind::Macro) && !is_static(named))
            .map(|named| named.def.clone())
            .collect();
        if is_announced && !elsewhere.is_empty() { Meaning::Defs(elsewhere) } else { Meaning::Unknown }
    }

    fn sourced(&self, at: &At, look: Look<'_>) -> Meaning {
        let seen = self.closure(at);
        self.picked(at, look, |named| seen.contains(&*named.def.path))
    }

    /// Returns the files a file includes, and they include.
    fn closure(&self, at: &At) -> HashSet<String> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut open = vec![at.path.to_string()];
        while let Some(path) = open.pop() {
            if seen.len() >= MAX_INCLUDED || !seen.insert(path.clone()) {
                continue;
            }
            let Some(next) = self.world.at(&path) else { continue };
            for (brought, _) in &next.facts.imports {
                if let Files::Here(files) = self.world.modules.find(next.language, &path, &brought.module) {
                    open.extend(files);
                }
            }
        }
        seen
    }

    /// Counts how deep one module leads to the next; none when it is too deep, as in circles. Ends when it is dropped.
    pub(super) fn deeper(&self) -> Option<Deeper<'_>> {
        let depth = self.depth.get();
        (depth < MAX_DEPTH).then(|| {
            self.depth.set(depth + 1);
            Deeper(&self.depth)
        })
    }
}

/// One module deeper.
pub(super) struct Deeper<'d>(&'d std::cell::Cell<usize>);

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Types and what stands for them: scopes that are looked into in another way.
pub fn is_type_like(kind: Kind) -> bool {
    matches!(kind, Kind::Class | Kind::Type | Kind::Interface | Kind::Implementation)
}

/// Languages whose imports name packages and types, wherever their files lie.
fn is_packaged(language: &str) -> bool {
    matches!(language, "csharp" | "kotlin" | "scala")
}

/// Languages that bring whole files in.
fn includes(language: &str) -> bool {
    matches!(language, "c" | "cpp" | "ruby" | "bash")
}

/// Keeps those that are better where there are any.
pub fn prefer<T>(all: Vec<T>, is_better: impl Fn(&T) -> bool) -> Vec<T> {
    let (better, others): (Vec<T>, Vec<T>) = all.into_iter().partition(is_better);
    if better.is_empty() { others } else { better }
}
