//! Where do rules come from?
//!
//! mimi's own, the machine's file, the user's file and settings, the command line, and the project, which may only ask and
//! refuse as long as nobody has trusted what it brought. All of them hold at once: the strictest wins, whoever stated it.

use std::path::Path;

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::Kind;
use crate::config::dirs::{Dirs, PROJECT_RULES, SYSTEM_RULES};
use crate::config::schema::PolicyConfig;
use crate::config::trust::Brought;
use crate::policy::Ground;
use crate::policy::command::disk::RealDisk;
use crate::policy::error::PolicyError;
use crate::policy::kept::Kept;
use crate::policy::rule_file::{self, Right};
use crate::policy::rules::{Force, Stated, stated};

/// Returns the ground of a workspace: what is mimi's own is guarded, and programs are looked for in `path`.
pub fn ground(root: &Path, dirs: &Dirs, path: &str) -> Ground {
    let disk = RealDisk { path: std::env::split_paths(path).collect() };
    Ground {
        guarded: vec![dirs.config.clone(), dirs.state.clone(), dirs.cache.clone()],
        disk: std::sync::Arc::new(disk),
        ..Ground::new(root.to_path_buf(), dirs.home.clone())
    }
}

/// Collects the rules of all layers. `flags` are those of `--allow`.
///
/// # Errors
/// A rule that cannot be read, with its place.
pub fn collect(
    ground: &Ground,
    dirs: &Dirs,
    config: &PolicyConfig,
    flags: &[String],
    brought: &Brought,
) -> Result<Vec<Stated>, PolicyError> {
    let root = &ground.root;
    let mut rules = rule_file::load(Path::new(SYSTEM_RULES), ground)?;
    rules.extend(rule_file::load(&dirs.rules_file(), ground)?);
    rules.extend(stated(&config.deny, Force::Deny, "policy.deny", root)?);
    rules.extend(stated(&config.ask, Force::Ask, "policy.ask", root)?);
    rules.extend(stated(&config.allow, Force::Allow, "policy.allow", root)?);
    rules.extend(stated(flags, Force::Allow, "--allow", root)?);
    rules.extend(Kept::of(dirs, root).stated(SystemClock.now_ms(), root)?);
    let right = if brought.is_trusted() { Right::All } else { Right::Narrow };
    rules.extend(of_project(ground, brought, right)?);
    Ok(rules)
}

/// Returns the rules of the project that allow, and so count only once it is trusted.
///
/// # Errors
/// A rule that cannot be read, with its place.
pub fn wanted(ground: &Ground, brought: &Brought) -> Result<Vec<Stated>, PolicyError> {
    let rules = of_project(ground, brought, Right::All)?;
    Ok(rules.into_iter().filter(|stated| stated.force == Force::Allow).collect())
}

fn of_project(ground: &Ground, brought: &Brought, right: Right) -> Result<Vec<Stated>, PolicyError> {
    let Some(text) = brought.text(PROJECT_RULES) else { return Ok(Vec::new()) };
    rule_file::read(text, &ground.root.join(PROJECT_RULES).display().to_string(), right, ground)
}

/// Checks rules of the command line alone: a wrong one is wrong usage.
pub fn check_flags(ground: &Ground, flags: &[String]) -> Result<(), crate::base::fault::Fault> {
    match stated(flags, Force::Allow, "--allow", &ground.root) {
        Ok(_) => Ok(()),
        Err(error) => Err(crate::base::fault::Fault { kind: Kind::Usage, ..error.into() }),
    }
}
