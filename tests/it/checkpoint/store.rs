//! Does the store stay small, without losing what somebody may still want?

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mimi::base::hash;
use mimi::checkpoint::keeper::Keeper;
use mimi::checkpoint::prune::{Pruned, Rules, prune, stored_bytes};
use mimi::checkpoint::step::Step;

use super::{Place, command};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn all_files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// Makes all that is kept so many days older.
fn age(place: &Place, days: u32) {
    for path in all_files(&place.kept()) {
        let at = path.metadata().unwrap().modified().unwrap() - DAY * days;
        std::fs::File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
    }
}

fn pruned(place: &Place, keep_days: u64, max_bytes: u64) -> Pruned {
    let now_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    prune(&place.store, Rules { keep_days, max_bytes, now_ms }).unwrap()
}

fn change(place: &Place, keeper: &Keeper, name: &str, text: &str) -> Step {
    let open = keeper.begin(command(1)).unwrap();
    place.write(name, text);
    let step = keeper.end(open).unwrap().unwrap();
    keeper.settle(&step.id);
    step
}

fn noise(seed: u32) -> String {
    (0..100_u32).map(|n| hash::of_bytes(&(seed * 1000 + n).to_le_bytes())).collect()
}

#[test]
fn a_whole_workspace_is_one_pack_each_content_once_and_private() {
    let place = Place::new();
    for n in 0..200 {
        place.write(&format!("d{}/f{n}", n % 7), &format!("content {}", n % 100));
    }
    let keeper = place.keeper("s");
    change(&place, &keeper, "d0/f0", "changed");
    let packs: Vec<PathBuf> =
        all_files(&place.kept()).into_iter().filter(|path| path.extension().is_some_and(|e| e == "pack")).collect();
    assert_eq!(packs.len(), 1, "{packs:?}");
    for path in all_files(&place.kept()) {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        let folder = path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(folder, 0o700, "{}", path.display());
    }
    // A second workspace with the same files costs next to nothing.
    let before = stored_bytes(&place.store);
    for n in 0..200 {
        place.write(&format!("copy/f{n}"), &format!("content {}", n % 100));
    }
    drop(keeper.begin(command(1)).unwrap());
    assert_eq!(stored_bytes(&place.store), before);
    let hash = hash::of_bytes(b"content 42");
    assert_eq!(place.store.load(&hash).unwrap(), b"content 42");
}

#[test]
fn sessions_go_by_age_with_what_only_they_name() {
    let place = Place::new();
    place.write("a", "first");
    let old = change(&place, &place.keeper("old"), "a", "second");
    change(&place, &place.keeper("old"), "a", "third");
    age(&place, 40);
    let young = change(&place, &place.keeper("young"), "a", "fourth");
    assert_eq!(pruned(&place, 0, 0).sessions, 0);
    assert_eq!(pruned(&place, 50, 0).sessions, 0);
    assert_eq!(pruned(&place, 30, 0).sessions, 1);
    let steps = place.keeper("old").steps().clone();
    assert!(steps.load("old", &old.id).is_err() && steps.load("young", &young.id).is_ok());
    let has = |text: &str| place.store.load(&hash::of_bytes(text.as_bytes())).is_ok();
    assert_eq!((has("first"), has("second"), has("third"), has("fourth")), (false, false, true, true));
}

#[test]
fn what_is_in_use_stays_however_old_and_however_much() {
    let place = Place::new();
    place.write("a", &noise(0));
    let gone = place.keeper("gone");
    change(&place, &gone, "a", &noise(1));
    drop(gone);
    let live = place.keeper("live");
    let step = change(&place, &live, "a", &noise(2));
    age(&place, 400);
    let found = pruned(&place, 30, 1);
    assert_eq!(found.sessions, 1);
    assert!(found.kept_bytes > 1, "{found:?}");
    for node in step.deltas.iter().flat_map(|delta| [&delta.before, &delta.after]).flatten() {
        assert!(place.store.load(node.hash().unwrap()).is_ok());
    }
    // And goes once nobody uses it.
    drop(live);
    age(&place, 1);
    assert_eq!(pruned(&place, 0, 1).sessions, 1);
    assert_eq!(stored_bytes(&place.store), 0);
}

#[test]
fn the_longest_unused_go_first_until_the_rest_is_small_enough() {
    let place = Place::new();
    place.write("a", &noise(0));
    for n in 1..6 {
        change(&place, &place.keeper(&format!("s{n}")), "a", &noise(n));
        age(&place, 2);
    }
    let all = stored_bytes(&place.store);
    let found = pruned(&place, 0, all / 2);
    assert!(found.kept_bytes <= all / 2 && found.kept_bytes > 0, "{found:?} of {all}");
    let left = std::fs::read_dir(place.kept().join("steps")).unwrap().count();
    assert!((1..5).contains(&left), "{left}");
    assert!(place.kept().join("steps/s5").exists() && !place.kept().join("steps/s1").exists());
}

#[test]
fn what_was_used_today_stays_also_when_nothing_names_it_yet() {
    let place = Place::new();
    place.write("a", "kept by a call that has not ended");
    place.store.keep(&place.path("a")).unwrap();
    pruned(&place, 1, 1);
    assert!(place.store.load(&hash::of_bytes(b"kept by a call that has not ended")).is_ok());
    age(&place, 2);
    assert_eq!(pruned(&place, 1, 1).contents, 1);
}

#[test]
fn packs_lose_what_nothing_names_and_many_small_ones_are_joined() {
    let place = Place::new();
    let keeper = place.keeper("s");
    for n in 0..30 {
        let open = keeper.begin(command(1)).unwrap();
        (0..20).for_each(|k| place.write(&format!("f{k}"), &format!("{n} {k}")));
        let step = keeper.end(open).unwrap().unwrap();
        keeper.settle(&step.id);
    }
    let n_packs = || std::fs::read_dir(place.kept().join("packs")).unwrap().count();
    assert_eq!(n_packs(), 30);
    age(&place, 2);
    pruned(&place, 0, 0);
    assert_eq!(n_packs(), 1);
    for text in ["0 0", "13 7", "29 19"] {
        assert_eq!(place.store.load(&hash::of_bytes(text.as_bytes())).unwrap(), text.as_bytes());
    }
    drop(keeper);
    std::fs::remove_dir_all(place.kept().join("steps")).unwrap();
    age(&place, 2);
    pruned(&place, 0, 0);
    // The tree still names the last state.
    let has = |text: &str| place.store.load(&hash::of_bytes(text.as_bytes())).is_ok();
    assert_eq!((has("13 7"), n_packs()), (false, 1));
}

#[test]
fn a_damaged_tree_or_step_is_as_good_as_none() {
    let place = Place::new();
    place.write("a", "first");
    let keeper = place.keeper("s");
    change(&place, &keeper, "a", "second");
    for folder in ["trees", "steps/s"] {
        for path in all_files(&place.kept().join(folder)) {
            if path.file_name().unwrap() != "lease" {
                std::fs::write(path, "garbage").unwrap();
            }
        }
    }
    let step = change(&place, &keeper, "a", "third");
    assert_eq!(step.deltas.len(), 1);
    assert_eq!(keeper.steps().in_workspace(step.workspace.as_path()).len(), 1);
    pruned(&place, 30, 0);
}
