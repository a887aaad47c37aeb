//! Which definition does a use of a name mean, and how sure is that?
//!
//! Exact: the place itself says so, through its scopes, its imports, its own type, or a type that is written down. Likely: only
//! one thing in the project is called so. By name: several are. Measured by others on real code: the first kind of evidence
//! is nearly always right, the second about every second time, the third every tenth; so only the first is drawn unasked.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::index::graph::facts::{Local, More, Receiver, Site};
use crate::index::graph::modules::folder_of;
use crate::index::graph::scope::{Look, Meaning, is_type_like, prefer};
use crate::index::graph::typed::Typed;
use crate::index::graph::world::{At, Def, World, family};
use crate::index::language::{Kind, Use};

/// Definitions named for a use nobody can tell more of.
const MAX_BY_NAME: usize = 10;
/// Functions followed through what they give back, and modules on the way to them.
const MAX_RETURNS: usize = 4;
/// Types followed from one to the next.
const MAX_TYPES: usize = 6;

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The place says so.
    Exact,
    /// Only one thing is called so.
    Likely,
    /// Several things are called so.
    Name,
}

/// What a use means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The definitions; one when it is exact.
    pub targets: Vec<Def>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Resolves uses.
pub struct Resolver<'w> {
    /// The project.
    pub world: &'w World<'w>,
    pub(super) depth: Cell<usize>,
}

impl<'w> Resolver<'w> {
    /// Begins.
    pub fn new(world: &'w World<'w>) -> Self {
        Self { world, depth: Cell::new(0) }
    }

    /// Returns what a use means; none when it means nothing of the project.
    pub fn resolve(&self, at: &At, site: &Site) -> Option<Meant> {
        let look = Look { name: &site.name, how: Some(site.how), is_macro: site.is_macro };
        let meaning = match &site.receiver {
            Receiver::None => self.bare(at, site.within, look),
            Receiver::Super => self.of_bases(at, site.within, look),
            Receiver::Path(parts) => self.behind(at, site.within, parts, look),
            Receiver::Value(typed) => self.on(self.type_of(at, site.within, typed, 0), look),
            Receiver::Other => Meaning::Unknown,
        };
        match meaning {
            Meaning::Defs(defs) => Some(self.chosen(defs, site)),
            // What JavaScript calls a module by is what that gives out by default.
            Meaning::Module(files) if site.how == Use::Call => {
                match files.first().map(|file| self.export(file, Look { name: "default", ..look })) {
                    Some(Meaning::Defs(defs)) => Some(self.chosen(defs, site)),
                    _ => None,
                }
            }
            Meaning::Module(_) | Meaning::Foreign => None,
            Meaning::Unknown => self.by_name(at, site),
        }
    }

    /// Takes of several definitions of one name the one that is meant, where that can be told.
    fn chosen(&self, mut defs: Vec<Def>, site: &Site) -> Meant {
        let is_doubtful = defs.windows(2).any(|pair| pair[0] == pair[1]);
        defs.sort();
        defs.dedup();
        if is_doubtful {
            return Meant { targets: defs, confidence: Confidence::Likely };
        }
        if defs.len() > 1 {
            defs = self.without_announcements(defs);
        }
        if defs.len() > 1
            && let Some(n) = site.n_args
        {
            let fits = |def: &Def| {
                self.more(def).and_then(|more| more.arity).is_none_or(|(least, most)| least <= n && n <= most)
            };
            defs = prefer(defs, fits);
        }
        if defs.len() > 1 && self.is_one_with_signatures(&defs) {
            defs.drain(..defs.len() - 1);
        }
        let confidence = if defs.len() == 1 { Confidence::Exact } else { Confidence::Likely };
        Meant { targets: defs, confidence }
    }

    fn without_announcements(&self, defs: Vec<Def>) -> Vec<Def> {
        prefer(defs, |def| self.world.at(&def.path).is_some_and(|at| at.kind(def.number) != Kind::Declaration))
    }

    /// TypeScript writes signatures above the one function they are of.
    fn is_one_with_signatures(&self, defs: &[Def]) -> bool {
        let Some(at) = defs.first().and_then(|def| self.world.at(&def.path)) else { return false };
        let is_together =
            defs.iter().all(|def| *def.path == *at.path && at.parent(def.number) == at.parent(defs[0].number));
        let line = |def: &Def, end: bool| {
            at.facts
                .definitions
                .get(def.number as usize)
                .map_or(0, |found| if end { found.end_line } else { found.line })
        };
        is_together
            && matches!(at.language, "typescript" | "tsx")
            && defs.windows(2).all(|pair| line(&pair[1], false) <= line(&pair[0], true) + 3)
    }

    fn more(&self, def: &Def) -> Option<More> {
        self.world.at(&def.path)?.facts.more.get(def.number as usize).cloned()
    }

    /// Returns what is called so, where nothing else is known.
    fn by_name(&self, at: &At, site: &Site) -> Option<Meant> {
        let look = Look { name: &site.name, how: Some(site.how), is_macro: site.is_macro };
        let is_member = !matches!(site.receiver, Receiver::None);
        let named = self.world.named(&site.name, family(at.language)).into_iter();
        let mut targets: Vec<Def> = named
            .filter(|named| {
                look.fits(at.language, named.kind)
                    && (!is_member || !named.is_top || named.kind == Kind::Method || site.how == Use::Call)
            })
            .map(|named| named.def)
            .collect();
        if targets.is_empty() {
            return None;
        }
        // A bare name that no scope knows is one of the language's own where every name must be made known.
        let is_weak = !is_member && matches!(at.language, "python" | "javascript" | "typescript" | "tsx");
        let confidence = if targets.len() == 1 && !is_weak { Confidence::Likely } else { Confidence::Name };
        targets.truncate(MAX_BY_NAME);
        Some(Meant { targets, confidence })
    }

    /// Returns what a name behind others means: `a.b.name`.
    fn behind(&self, at: &At, within: Option<u32>, parts: &[String], look: Look<'_>) -> Meaning {
        let Some((first, rest)) = parts.split_first() else { return Meaning::Unknown };
        // `self::f()` of Rust is a module, `self.f()` a value.
        let is_module = at.language == "rust" && first == "self" && look.how != Some(Use::Method);
        if is_own(at.language, first) && !is_module {
            return match self.owner(at, within) {
                Some(owner) => self.on_fields(vec![owner], rest, look),
                None => Meaning::Unknown,
            };
        }
        if at.language == "rust" && (matches!(first.as_str(), "crate" | "super" | "self")) {
            let whole: Vec<String> = parts.iter().cloned().chain([look.name.to_owned()]).collect();
            return self.rust_path(at, within, &whole, look);
        }
        if let Some(locals) = self.bound(at, within, first) {
            return self.on_fields(self.agreed(at, within, &locals, 0).into_iter().collect(), rest, look);
        }
        let whole: Vec<String> = parts.iter().cloned().chain([look.name.to_owned()]).collect();
        match self.path(at, within, &whole, look) {
            Meaning::Unknown => self.behind_unknown(at, within, parts, look),
            found => found,
        }
    }

    /// A field named without its object, a full name, a namespace.
    fn behind_unknown(&self, at: &At, within: Option<u32>, parts: &[String], look: Look<'_>) -> Meaning {
        let has_bare_fields = matches!(at.language, "java" | "cpp" | "ruby" | "csharp" | "kotlin" | "scala");
        if has_bare_fields
            && let Some(owner) = self.owner(at, within)
            && let found @ Meaning::Defs(_) = self.on_fields(vec![owner], parts, look)
        {
            return found;
        }
        match at.language {
            "cpp" => self.in_namespace(at, parts, look),
            "php" if parts.len() > 1 => {
                let (class, namespace) = (parts[parts.len() - 1].as_str(), parts[..parts.len() - 1].join("\\"));
                let brought = crate::index::graph::imports::Brought {
                    module: namespace,
                    name: Some(class.to_owned()),
                    ..Default::default()
                };
                match self.brought(at, None, &brought, Look::owner(class)) {
                    Meaning::Defs(defs) => self.on(Some(defs), look),
                    other => other,
                }
            }
            _ => Meaning::Unknown,
        }
    }

    /// `a::b` of C++: what is called `b` and belongs to something called `a`.
    fn in_namespace(&self, at: &At, parts: &[String], look: Look<'_>) -> Meaning {
        let Some(owner) = parts.last() else { return Meaning::Unknown };
        let belongs = |def: &Def| {
            let Some(other) = self.world.at(&def.path) else { return false };
            let named = other.facts.more.get(def.number as usize).and_then(|more| more.owner.as_ref()?.last().cloned());
            named.as_ref() == Some(owner) || other.parent(def.number).is_some_and(|parent| other.name(parent) == owner)
        };
        let named = self.world.named(look.name, family(at.language)).into_iter();
        let found: Vec<Def> =
            named.filter(|named| look.fits(at.language, named.kind)).map(|named| named.def).filter(belongs).collect();
        if found.is_empty() { Meaning::Unknown } else { Meaning::Defs(self.without_announcements(found)) }
    }

    /// Returns what a path of names means from where it stands.
    fn path(&self, at: &At, within: Option<u32>, parts: &[String], look: Look<'_>) -> Meaning {
        let dotted = at.facts.imports.iter().map(|(brought, _)| brought).filter(|brought| {
            brought.local.len() > 1 && brought.local.len() < parts.len() && parts.starts_with(&brought.local)
        });
        if let Some(longest) = dotted.max_by_key(|brought| brought.local.len()) {
            let module = self.brought(at, None, longest, Look::owner(""));
            return self.steps(module, &parts[longest.local.len()..], look);
        }
        let Some((first, rest)) = parts.split_first() else { return Meaning::Unknown };
        match self.bare(at, within, if rest.is_empty() { look } else { Look::owner(first) }) {
            Meaning::Unknown if at.language == "rust" && rest.len() > 1 => self.rust_path(at, within, parts, look),
            Meaning::Unknown if at.language == "rust" => match self.rust_path(at, within, parts, look) {
                Meaning::Foreign => Meaning::Unknown,
                found => found,
            },
            // A constant stands for what it holds.
            Meaning::Defs(defs) if !rest.is_empty() => {
                let held: Vec<Def> = defs.iter().map(|def| self.held(def, 0).unwrap_or_else(|| def.clone())).collect();
                self.steps(Meaning::Defs(held), rest, look)
            }
            found => self.steps(found, rest, look),
        }
    }

    /// Returns the type of what a constant holds.
    fn held(&self, def: &Def, depth: usize) -> Option<Def> {
        let at = self.world.at(&def.path).filter(|at| at.kind(def.number) == Kind::Constant && depth < MAX_TYPES)?;
        let own = at.parent(def.number);
        let same = |local: &&Local| local.is_definition && local.within == own && local.name == at.name(def.number);
        let locals: Vec<&Local> = at.facts.locals.iter().filter(same).collect();
        self.agreed(&at, own, &locals, depth + 1)
    }

    /// Looks for a name on types, through fields that stand in between.
    fn on_fields(&self, owners: Vec<Def>, fields: &[String], look: Look<'_>) -> Meaning {
        let mut owners = owners;
        for field in fields {
            let typed = owners.iter().find_map(|owner| self.field(owner, field, 0));
            // A class within a class is named like a field of it.
            let inner = || {
                owners
                    .iter()
                    .flat_map(|owner| self.members(owner, Look { how: Some(Use::Type), ..Look::owner(field) }))
                    .next()
            };
            match typed.or_else(inner) {
                Some(class) => owners = vec![class],
                None => return Meaning::Unknown,
            }
        }
        self.on((!owners.is_empty()).then_some(owners), look)
    }

    fn on(&self, owners: Option<Vec<Def>>, look: Look<'_>) -> Meaning {
        let mut found: Vec<Def> = owners.into_iter().flatten().flat_map(|owner| self.members(&owner, look)).collect();
        found.sort();
        found.dedup();
        if found.is_empty() { Meaning::Unknown } else { Meaning::Defs(found) }
    }

    /// Returns the type of a field of a type, or of one it is derived from.
    fn field(&self, owner: &Def, name: &str, depth: usize) -> Option<Def> {
        let at = self.world.at(&owner.path).filter(|_| depth < MAX_TYPES)?;
        let is_own = |within: Option<u32>| {
            let mut scope = within;
            while let Some(number) = scope {
                if number == owner.number || (is_type_like(at.kind(number)) && at.name(number) == at.name(owner.number))
                {
                    return true;
                }
                scope = at.parent(number);
            }
            false
        };
        let fields: Vec<_> =
            at.facts.fields.iter().filter(|field| field.name == name && is_own(field.within)).collect();
        if !fields.is_empty() {
            let types: BTreeSet<Option<Def>> = fields
                .iter()
                // Set to nothing first, or to what cannot be told: another place may tell.
                .map(|field| {
                    self.type_of(&at, field.within, &field.typed, depth + 1).and_then(|types| types.into_iter().next())
                })
                .filter(Option::is_some)
                .collect();
            return if types.len() == 1 { types.into_iter().next().flatten() } else { None };
        }
        self.bases(owner).iter().find_map(|base| self.field(base, name, depth + 1))
    }

    /// Returns the names bound so in the nearest scope that binds it.
    fn bound<'a>(&self, at: &'a At, within: Option<u32>, name: &str) -> Option<Vec<&'a Local>> {
        let mut scope = within;
        loop {
            let locals: Vec<&Local> =
                at.facts.locals.iter().filter(|local| local.within == scope && local.name == name).collect();
            let is_brought =
                at.facts.imports.iter().any(|(brought, within)| *within == scope && brought.local == [name]);
            if is_brought {
                return None;
            }
            if !locals.is_empty() {
                return Some(locals);
            }
            scope = at.parent(scope?);
        }
    }

    /// Returns the one type that all bindings of a name agree on.
    fn agreed(&self, at: &At, within: Option<u32>, locals: &[&Local], depth: usize) -> Option<Def> {
        let mut agreed: Option<Def> = None;
        for local in locals {
            let types = self.type_of(at, local.within.or(within), &local.typed, depth + 1)?;
            let [only] = types.as_slice() else { return None };
            if agreed.as_ref().is_some_and(|known| known != only) {
                return None;
            }
            agreed = Some(only.clone());
        }
        agreed
    }

    /// Returns the types something may be of; none when that is unknown.
    fn type_of(&self, at: &At, within: Option<u32>, typed: &Typed, depth: usize) -> Option<Vec<Def>> {
        if depth > MAX_TYPES {
            return None;
        }
        let types = match typed {
            Typed::Unknown => return None,
            Typed::Is(path) if path.len() == 1 && is_own(at.language, &path[0]) => vec![self.owner(at, within)?],
            Typed::Is(path) | Typed::Made(path) => {
                let name = path.last()?;
                match self.path(at, within, path, Look { name, how: Some(Use::Type), is_macro: false }) {
                    Meaning::Defs(defs) => defs,
                    _ if matches!(typed, Typed::Made(_)) => return self.returned(at, within, path, depth),
                    _ => return None,
                }
            }
            Typed::Like(name) if is_own(at.language, name) => vec![self.owner(at, within)?],
            Typed::Like(name) => {
                let locals = self.bound(at, within, name)?;
                return self.agreed(at, within, &locals, depth + 1).map(|only| vec![only]);
            }
        };
        let is_type = |def: &Def| self.world.at(&def.path).is_some_and(|at| is_type_like(at.kind(def.number)));
        let types: Vec<Def> = types.into_iter().filter(is_type).collect();
        (!types.is_empty()).then_some(types)
    }

    /// Returns the type a function says it gives back.
    fn returned(&self, at: &At, within: Option<u32>, path: &[String], depth: usize) -> Option<Vec<Def>> {
        // `a = a.next()` leads to itself.
        let _deeper = self.deeper().filter(|_| self.depth.get() <= MAX_RETURNS)?;
        let (name, before) = path.split_last()?;
        let how = Some(if before.is_empty() { Use::Call } else { Use::Method });
        let look = Look { name, how, is_macro: false };
        let meaning =
            if before.is_empty() { self.bare(at, within, look) } else { self.behind(at, within, before, look) };
        let Meaning::Defs(defs) = meaning else { return None };
        let [def] = defs.as_slice() else { return None };
        let returns = self.more(def)?.returns?;
        self.type_of(&self.world.at(&def.path)?, Some(def.number), &Typed::Is(returns), depth + 1)
    }

    /// Returns the type around a place, as it is defined.
    pub fn owner(&self, at: &At, within: Option<u32>) -> Option<Def> {
        let mut scope = within;
        while let Some(number) = scope {
            if let Some(owner) = at.facts.more.get(number as usize).and_then(|more| more.owner.as_ref()) {
                return self.classes_called(at, owner.last()?).into_iter().next();
            }
            let kind = at.kind(number);
            if kind == Kind::Implementation {
                let name = at.name(number).to_owned();
                let look = Look { name: &name, how: Some(Use::Type), is_macro: false };
                return match self.bare(at, at.parent(number), look) {
                    Meaning::Defs(defs) if defs.len() == 1 => defs.into_iter().next(),
                    _ => Some(at.def(number)),
                };
            }
            if is_type_like(kind) || (kind == Kind::Module && at.language == "ruby") {
                return Some(at.def(number));
            }
            scope = at.parent(number);
        }
        None
    }

    /// Returns the types of a name that a function away from them may belong to.
    pub fn classes_called(&self, at: &At, name: &str) -> Vec<Def> {
        let folder = folder_of(&at.path);
        let named = self.world.named(name, family(at.language)).into_iter();
        let all = named.filter(|named| matches!(named.kind, Kind::Class | Kind::Type | Kind::Interface));
        let found: Vec<Def> =
            all.map(|named| named.def).filter(|def| at.language != "go" || folder_of(&def.path) == folder).collect();
        if found.len() == 1 {
            found
        } else {
            found.into_iter().filter(|def| *def.path == *at.path || folder_of(&def.path) == folder).take(1).collect()
        }
    }

    /// Returns what a name means on what the surrounding type is derived from.
    fn of_bases(&self, at: &At, within: Option<u32>, look: Look<'_>) -> Meaning {
        let Some(owner) = self.owner(at, within) else { return Meaning::Unknown };
        let found: Vec<Def> = self
            .bases(&owner)
            .iter()
            .map(|base| self.members(base, look))
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        if found.is_empty() { Meaning::Unknown } else { Meaning::Defs(found) }
    }

    /// Returns the types a type is derived from, as far as they are in the project.
    fn bases(&self, class: &Def) -> Vec<Def> {
        let Some(at) = self.world.at(&class.path) else { return Vec::new() };
        let mut found = Vec::new();
        for (at, number) in self.parts(&at, class.number) {
            let scope = at.parent(number);
            for path in at.facts.more.get(number as usize).into_iter().flat_map(|more| &more.bases) {
                let typed = Typed::Is(path.clone());
                found.extend(self.type_of(&at, scope, &typed, 1).into_iter().flatten().filter(|base| base != class));
                if at.language == "ruby"
                    && let Meaning::Defs(defs) =
                        self.path(&at, scope, path, Look::owner(path.last().map_or("", String::as_str)))
                {
                    found.extend(defs.into_iter().filter(|base| base != class));
                }
            }
        }
        found
    }

    /// Returns the places a type is spelled out in: itself, and what Rust implements for it.
    fn parts(&self, at: &At, number: u32) -> Vec<(At, u32)> {
        let mut parts = vec![(at.clone(), number)];
        let name = at.name(number);
        if at.language == "rust" {
            for named in self.world.named(name, "rust").into_iter().filter(|named| named.kind == Kind::Implementation) {
                let Some(other) = self.world.at(&named.def.path) else { continue };
                // A file with a type of this name of its own implements things for that.
                let has_own = other
                    .facts
                    .definitions
                    .iter()
                    .any(|found| found.name == name && matches!(found.kind, Kind::Type | Kind::Interface));
                if (*other.path == *at.path || !has_own) && (&*other.path, named.def.number) != (&*at.path, number) {
                    parts.push((other, named.def.number));
                }
            }
        }
        if at.language == "ruby" {
            let again = self
                .world
                .named(name, "ruby")
                .into_iter()
                .filter(|named| matches!(named.kind, Kind::Class | Kind::Module));
            parts.extend(
                again
                    .filter_map(|named| Some((self.world.at(&named.def.path)?, named.def.number)))
                    .filter(|(other, again)| (&*other.path, *again) != (&*at.path, number)),
            );
        }
        parts
    }

    /// Returns what a type, or a module within a file, has under a name: its own, else what it is derived from.
    pub fn members(&self, class: &Def, look: Look<'_>) -> Vec<Def> {
        self.members_but(class, look, &mut BTreeSet::new())
    }

    fn members_but(&self, class: &Def, look: Look<'_>, seen: &mut BTreeSet<Def>) -> Vec<Def> {
        let Some(at) = self.world.at(&class.path) else { return Vec::new() };
        if !seen.insert(class.clone()) || seen.len() > 40 {
            return Vec::new();
        }
        let mut own = Vec::new();
        for (at, number) in self.parts(&at, class.number) {
            let fits = |found: &crate::index::syntax::Definition| {
                found.parent == Some(number)
                    && found.name == look.name
                    && (look.fits(at.language, found.kind) || found.kind == Kind::Declaration && look.how.is_some())
            };
            own.extend(
                at.facts.definitions.iter().enumerate().filter(|(_, found)| fits(found)).map(|(n, _)| at.def(n as u32)),
            );
        }
        own.extend(self.away(&at, class.number, look));
        own.sort();
        own.dedup();
        if !own.is_empty() {
            return self.without_announcements(own);
        }
        self.bases(class)
            .iter()
            .map(|base| self.members_but(base, look, seen))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// Functions of a type that stand away from it: Go's, and C++'s with the type in front.
    fn away(&self, at: &At, class: u32, look: Look<'_>) -> Vec<Def> {
        if !matches!(at.language, "go" | "cpp" | "c") {
            return Vec::new();
        }
        let (name, folder) = (at.name(class), folder_of(&at.path));
        let belongs = |def: &Def| {
            (at.language != "go" || folder_of(&def.path) == folder)
                && self.more(def).and_then(|more| more.owner).and_then(|owner| owner.last().cloned()).as_deref()
                    == Some(name)
        };
        let named = self.world.named(look.name, family(at.language)).into_iter();
        named.filter(|named| look.fits(at.language, named.kind)).map(|named| named.def).filter(belongs).collect()
    }
}

/// Says whether a word stands for the surrounding type or a value of it.
fn is_own(language: &str, word: &str) -> bool {
    match language {
        "python" => matches!(word, "self" | "cls"),
        "rust" => matches!(word, "self" | "Self"),
        "ruby" => word == "self",
        "php" => matches!(word, "this" | "self" | "static"),
        "go" | "c" | "bash" | "lua" => false,
        _ => word == "this",
    }
}
