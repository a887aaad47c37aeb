//! Does everything a command did to the workspace go back, and nothing else?

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use mimi::checkpoint::error::CheckpointError;
use mimi::checkpoint::keeper::Keeper;
use mimi::checkpoint::node::Node;
use mimi::checkpoint::scan::Limits;
use mimi::checkpoint::step::{About, Cause, Step};

use super::{LIMITS, Place, command};

/// Does something as a command would, and returns what was found of it.
fn run(keeper: &Keeper, turn: u32, work: impl FnOnce()) -> Option<Step> {
    let open = keeper.begin(command(turn)).unwrap();
    work();
    let step = keeper.end(open).unwrap();
    if let Some(step) = &step {
        keeper.settle(&step.id);
    }
    step
}

fn undo(place: &Place, keeper: &Keeper, steps: &[&Step]) -> (Step, Vec<String>, Vec<String>) {
    let deltas: Vec<_> = steps.iter().flat_map(|step| step.deltas.clone()).collect();
    let about = About { cause: Cause::Undo, ..command(1) };
    let (step, report) = keeper.take_back(about, &deltas).unwrap();
    keeper.settle(&step.id);
    let root = place.path("");
    let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
    let left = report.left.iter().map(|left| format!("{}: {}", name(&left.path), left.why)).collect();
    (step, report.restored.iter().map(|path| name(path)).collect(), left)
}

/// Everything in the workspace: name, kind with mode, and content or target.
fn look(place: &Place) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![place.path("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(place.path("")).unwrap().display().to_string();
            let mode = meta.permissions().mode() & 0o7777;
            found.push(if meta.is_symlink() {
                format!("{name} -> {}", path.read_link().unwrap().display())
            } else if meta.is_dir() {
                folders.push(path);
                format!("{name}/ {mode:o}")
            } else {
                format!("{name} {mode:o} {:?}", String::from_utf8_lossy(&std::fs::read(&path).unwrap()))
            });
        }
    }
    found.sort();
    found
}

fn some_files(place: &Place) {
    for name in ["a.rs", "deep/er/b.rs", "gone.rs", "dir/one", "dir/two", "run.sh", "becomes-folder"] {
        place.write(name, &format!("content of {name}\n"));
    }
    std::fs::create_dir(place.path("empty")).unwrap();
    std::fs::create_dir(place.path("becomes-file")).unwrap();
    symlink("a.rs", place.path("link")).unwrap();
    symlink("nowhere", place.path("dangling")).unwrap();
    symlink("a.rs", place.path("becomes-real")).unwrap();
    std::fs::set_permissions(place.path("run.sh"), Permissions::from_mode(0o755)).unwrap();
}

fn change_everything(place: &Place) {
    let path = |name: &str| place.path(name);
    place.write("a.rs", "changed\n");
    std::fs::remove_file(path("gone.rs")).unwrap();
    std::fs::rename(path("deep"), path("moved")).unwrap();
    std::fs::remove_dir_all(path("dir")).unwrap();
    std::fs::remove_dir(path("empty")).unwrap();
    std::fs::set_permissions(path("run.sh"), Permissions::from_mode(0o600)).unwrap();
    for name in ["link", "becomes-real", "becomes-folder"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    symlink("run.sh", path("link")).unwrap();
    place.write("becomes-real", "a file now");
    place.write("becomes-folder/inside", "a folder now");
    std::fs::remove_dir(path("becomes-file")).unwrap();
    place.write("becomes-file", "was a folder");
    place.write("new/with/folders", "new");
    std::fs::create_dir(path("new-empty")).unwrap();
    std::fs::set_permissions(path("new-empty"), Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn every_kind_of_change_goes_back_and_forward_again() {
    let place = Place::new();
    some_files(&place);
    let (before, keeper) = (look(&place), place.keeper("s"));
    let step = run(&keeper, 1, || change_everything(&place)).unwrap();
    let after = look(&place);
    assert_ne!(before, after);
    let (undone, _, left) = undo(&place, &keeper, &[&step]);
    assert_eq!((look(&place), left), (before.clone(), vec![]));
    let (redone, _, left) = undo(&place, &keeper, &[&undone]);
    assert_eq!((look(&place), left), (after, vec![]));
    assert_eq!(undo(&place, &keeper, &[&redone]).2, [] as [&str; 0]);
    assert_eq!(look(&place), before);
}

#[test]
fn a_command_that_changes_nothing_leaves_no_step_and_git_folders_are_not_looked_into() {
    let place = Place::new();
    some_files(&place);
    place.write("sub/.git/index", "one");
    let keeper = place.keeper("s");
    assert_eq!(run(&keeper, 1, || {}), None);
    let touched = run(&keeper, 1, || {
        place.write("a.rs", "content of a.rs\n");
        place.write("sub/.git/index", "two");
        place.write("sub/.git/new", "two");
    });
    assert_eq!(touched, None, "the same content again is no change");
    assert_eq!(keeper.steps().all().len(), 0);
    assert_eq!(keeper.unsettled().len(), 0);
}

#[test]
fn what_git_records_is_noticed_and_not_kept() {
    let place = Place::new();
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    let keeper = place.keeper("s");
    let step = run(&keeper, 1, || place.write(".git/HEAD", "ref: refs/heads/other-branch\n")).unwrap();
    assert!(step.has_moved_git && step.deltas.is_empty(), "{step:?}");
}

#[test]
fn what_the_user_does_between_two_commands_is_theirs() {
    let place = Place::new();
    some_files(&place);
    let keeper = place.keeper("s");
    let first = run(&keeper, 1, || place.write("a.rs", "command one\n")).unwrap();
    place.write("a.rs", "command one, and the user\n");
    place.write("mine.rs", "the user's\n");
    let second = run(&keeper, 1, || place.write("run.sh", "command two\n")).unwrap();
    assert_eq!(second.deltas.len(), 1, "{second:#?}");
    let (_, restored, left) = undo(&place, &keeper, &[&first, &second]);
    assert_eq!((restored, left), (vec!["run.sh".to_owned()], vec!["a.rs: it changed since".to_owned()]));
    assert_eq!(place.read("a.rs").as_deref(), Some("command one, and the user\n"));
    assert_eq!(place.read("mine.rs").as_deref(), Some("the user's\n"));
}

#[test]
fn new_files_of_the_user_stay_also_in_folders_a_command_made() {
    let place = Place::new();
    let keeper = place.keeper("s");
    let step = run(&keeper, 1, || place.write("made/by/command", "x")).unwrap();
    place.write("made/mine", "mine");
    let (_, restored, left) = undo(&place, &keeper, &[&step]);
    assert_eq!(restored, ["made/by", "made/by/command"]);
    assert_eq!(left, ["made: the folder stays, because other files are in it"]);
    assert_eq!(place.read("made/mine").as_deref(), Some("mine"));
}

#[test]
fn permissions_the_user_changed_since_stay() {
    let place = Place::new();
    some_files(&place);
    let keeper = place.keeper("s");
    let chmod = |mode| std::fs::set_permissions(place.path("run.sh"), Permissions::from_mode(mode)).unwrap();
    let step = run(&keeper, 1, || {
        chmod(0o600);
        place.write("run.sh", "changed");
        place.write("new.sh", "made");
    })
    .unwrap();
    chmod(0o644);
    std::fs::set_permissions(place.path("new.sh"), Permissions::from_mode(0o700)).unwrap();
    let (_, restored, left) = undo(&place, &keeper, &[&step]);
    assert_eq!(restored, ["run.sh"]);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(place.read("run.sh").as_deref(), Some("content of run.sh\n"));
    assert_eq!(place.path("run.sh").metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert!(place.path("new.sh").exists());
}

#[test]
fn files_git_ignores_are_kept_up_to_a_size_and_the_others_are_named() {
    let place = Place::new();
    place.write(".gitignore", "target\n");
    place.write("target/small", "small");
    let keeper = place.keeper("s");
    let large = "x".repeat(101);
    let step = run(&keeper, 1, || {
        place.write("target/small", "changed");
        place.write("target/large", &large);
        place.write("large.rs", &large);
    })
    .unwrap();
    let names = |paths: Vec<&std::path::Path>| -> Vec<String> {
        paths.iter().map(|path| path.strip_prefix(place.path("")).unwrap().display().to_string()).collect()
    };
    assert_eq!(names(step.deltas.iter().map(|delta| delta.path.as_path()).collect()), ["large.rs", "target/small"]);
    assert_eq!(names(step.skipped.iter().map(|skipped| skipped.path.as_path()).collect()), ["target/large"]);
    undo(&place, &keeper, &[&step]);
    assert_eq!(place.read("target/small").as_deref(), Some("small"));
    assert_eq!(place.read("target/large"), Some(large), "what is not kept is not deleted either");
    // Small ones count together.
    let step = run(&keeper, 1, || (0..20).for_each(|n| place.write(&format!("target/{n}"), &"y".repeat(100)))).unwrap();
    assert!((8..=10).contains(&step.deltas.len()), "{} of 20 fit into 1000 bytes", step.deltas.len());
    assert_eq!(step.deltas.len() + step.skipped.len(), 20);
}

#[test]
fn a_workspace_that_is_too_large_is_refused_before_the_command() {
    let place = Place::new();
    some_files(&place);
    let keeper = place.keeper_within("s", Limits { max_paths: 5, ..LIMITS });
    let error = keeper.begin(command(1)).unwrap_err();
    assert!(matches!(error, CheckpointError::TooManyFiles { max: 5, .. }), "{error}");
    assert_eq!(keeper.unsettled().len(), 0);
}

#[test]
fn what_a_killed_command_changed_is_found_at_the_next_start() {
    let place = Place::new();
    some_files(&place);
    let before = look(&place);
    let open = place.keeper("s").begin(command(3)).unwrap();
    change_everything(&place);
    drop(open);
    let keeper = place.keeper("s");
    let found = keeper.unsettled();
    assert_eq!((found.len(), found[0].step.turn), (1, 3));
    keeper.settle(&found[0].step.id);
    assert_eq!(keeper.unsettled().len(), 0);
    undo(&place, &keeper, &[&found[0].step]);
    assert_eq!(look(&place), before);
    // Another session's are not ours.
    drop(keeper.begin(command(4)).unwrap());
    assert_eq!(place.keeper("other").unsettled().len(), 0);
}

#[test]
fn an_undo_that_was_killed_half_way_is_finished() {
    let place = Place::new();
    some_files(&place);
    let (before, keeper) = (look(&place), place.keeper("s"));
    let step = run(&keeper, 1, || change_everything(&place)).unwrap();
    let after = look(&place);
    let about = About { cause: Cause::Undo, ..command(1) };
    let (undone, _) = keeper.take_back(about, &step.deltas).unwrap();
    // As if it had been killed before the last two paths and before anybody took note.
    std::fs::remove_file(keeper.steps().of_session("s").join(format!("{}.json", undone.id))).unwrap();
    place.write("a.rs", "changed\n");
    std::fs::remove_file(place.path("gone.rs")).unwrap();
    assert_ne!(look(&place), before);
    let found = place.keeper("s").unsettled();
    assert_eq!(look(&place), before);
    let report = found[0].report.as_ref().unwrap();
    assert_eq!((found[0].step.cause, report.left.len()), (Cause::Undo, 0));
    keeper.settle(&undone.id);
    // It can still be done again, with what it did before it was killed.
    let again = keeper.steps().load("s", &undone.id).unwrap();
    undo(&place, &keeper, &[&again]);
    assert_eq!(look(&place), after);
}

#[test]
fn two_sessions_at_work_at_once_do_not_claim_each_others_changes() {
    let place = Place::new();
    some_files(&place);
    let (one, two) = (place.keeper("one"), place.keeper("two"));
    let first = one.begin(command(1)).unwrap();
    let second = run(&two, 1, || place.write("a.rs", "by two\n")).unwrap();
    place.write("run.sh", "by one\n");
    let first = one.end(first).unwrap().unwrap();
    let paths = |step: &Step| step.deltas.iter().map(|delta| delta.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&second), [place.path("a.rs")]);
    assert_eq!(paths(&first), [place.path("run.sh")]);
}

#[test]
fn a_folder_nobody_may_look_into_any_more_has_lost_nothing() {
    let place = Place::new();
    some_files(&place);
    let (before, keeper) = (look(&place), place.keeper("s"));
    let chmod = |mode| std::fs::set_permissions(place.path("dir"), Permissions::from_mode(mode)).unwrap();
    let step = run(&keeper, 1, || chmod(0o000)).unwrap();
    // To root every folder is open, and then only its permissions changed either way.
    assert_eq!(step.deltas.len(), 1, "{step:#?}");
    assert!(matches!(step.deltas[0].after, Some(Node::Folder { mode: 0 })));
    undo(&place, &keeper, &[&step]);
    assert_eq!(look(&place), before);
}

#[test]
fn names_that_are_no_text_and_long_ones_go_back_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let odd = place.path("").join(std::ffi::OsStr::from_bytes(b"odd \xff\n name"));
    let long = place.path(&format!("{}/{}", "d".repeat(200), "f".repeat(255)));
    std::fs::create_dir(long.parent().unwrap()).unwrap();
    for path in [&odd, &long] {
        std::fs::write(path, "one").unwrap();
    }
    let keeper = place.keeper("s");
    let step = run(&keeper, 1, || {
        std::fs::write(&odd, "two").unwrap();
        std::fs::remove_file(&long).unwrap();
    })
    .unwrap();
    let step = keeper.steps().load("s", &step.id).unwrap();
    assert_eq!(undo(&place, &keeper, &[&step]).2, [] as [&str; 0]);
    for path in [&odd, &long] {
        assert_eq!(std::fs::read(path).unwrap(), b"one");
    }
}
