//! Are keys found in the documented order, kept private and never shown?

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use mimi::base::fault::Fault;
use mimi::config::keyring::{Reach, Ring};
use mimi::config::secret::{KeyStore, Place, find};

use crate::config::{Machine, chmod, write};

/// A keyring in memory that counts how often it is asked.
#[derive(Default)]
pub(crate) struct FakeRing {
    keys: RefCell<BTreeMap<String, String>>,
    broken: bool,
    n_asked: RefCell<u32>,
}

impl FakeRing {
    pub(crate) fn broken() -> Self {
        Self { broken: true, ..Self::default() }
    }

    fn with(provider: &str, key: &str) -> Self {
        let ring = Self::default();
        ring.keys.borrow_mut().insert(provider.to_owned(), key.to_owned());
        ring
    }

    fn ask(&self) -> Result<(), Reach> {
        *self.n_asked.borrow_mut() += 1;
        if self.broken { Err(Reach::TimedOut) } else { Ok(()) }
    }
}

impl Ring for FakeRing {
    fn get(&self, provider: &str) -> Result<Option<String>, Reach> {
        self.ask().map(|()| self.keys.borrow().get(provider).cloned())
    }

    fn set(&self, provider: &str, key: &str) -> Result<(), Reach> {
        self.ask()?;
        self.keys.borrow_mut().insert(provider.to_owned(), key.to_owned());
        Ok(())
    }

    fn remove(&self, provider: &str) -> Result<bool, Reach> {
        self.ask().map(|()| self.keys.borrow_mut().remove(provider).is_some())
    }
}

#[test]
fn the_first_place_that_has_a_key_wins_and_later_ones_are_not_asked() {
    let machine = Machine::new();
    let key_file = machine.path("key");
    write(&key_file, "from-file\n");
    write(&machine.dirs().credentials_file(), "dgx: from-credentials\n");
    let file = key_file.display().to_string();
    let all = Machine::new().var("DGX_KEY", " from-variable \n").var("DGX_KEY_FILE", &file);
    let without_variable = Machine::new().var("DGX_KEY_FILE", &file).var("DGX_KEY", "");
    let table = [
        (all.env(), FakeRing::with("dgx", "from-ring"), "from-variable", 0),
        (without_variable.env(), FakeRing::with("dgx", "from-ring"), "from-file", 0),
        (machine.env(), FakeRing::with("dgx", "from-ring"), "from-ring", 1),
        (machine.env(), FakeRing::default(), "from-credentials", 1),
        (machine.env(), FakeRing::broken(), "from-credentials", 1),
    ];
    for (env, ring, expected, n_asked) in table {
        let dirs = machine.dirs();
        let secret = KeyStore::new(&env, &dirs, &ring).find("dgx", "DGX_KEY").unwrap().unwrap();
        assert_eq!((secret.expose(), *ring.n_asked.borrow()), (expected, n_asked));
    }
    let none = find(&machine.env(), &machine.dirs(), "other", "").unwrap();
    assert_eq!(none, None);
}

#[test]
fn a_key_goes_to_the_keyring_when_it_answers_and_else_to_a_private_file() {
    let machine = Machine::new();
    let (env, dirs) = (machine.env(), machine.dirs());
    let file = dirs.credentials_file();
    let broken = FakeRing::broken();
    let store = KeyStore::new(&env, &dirs, &broken);
    assert_eq!(store.set("dgx", " sk-1 \n").unwrap(), Place::Credentials(file.clone()));
    assert_eq!(store.set("vllm", "no: 'yes'#1".replace(' ', "").as_str()).unwrap(), Place::Credentials(file.clone()));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&dirs.config).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(store.find("dgx", "").unwrap().unwrap().expose(), "sk-1");
    assert_eq!(store.find("vllm", "").unwrap().unwrap().expose(), "no:'yes'#1");

    let ring = FakeRing::default();
    let store = KeyStore::new(&env, &dirs, &ring);
    assert_eq!(store.set("dgx", "sk-2").unwrap(), Place::Keyring);
    assert_eq!(store.find("dgx", "").unwrap().unwrap().expose(), "sk-2");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("sk-1"), "the older copy stayed");
}

#[test]
fn list_names_places_and_remove_empties_all_of_them() {
    let machine = Machine::new().var("A_KEY", "sk-SECRET");
    let (env, dirs) = (machine.env(), machine.dirs());
    write(&dirs.credentials_file(), "dgx: sk-SECRET\nold: sk-SECRET\n");
    let ring = FakeRing::with("dgx", "sk-SECRET");
    let store = KeyStore::new(&env, &dirs, &ring);
    let rows = [("dgx", ""), ("a", "A_KEY"), ("none", "NONE_KEY")].map(|(name, env)| (name.to_owned(), env.to_owned()));
    let listed = store.list(&rows).unwrap();
    let file = Place::Credentials(dirs.credentials_file());
    let expected = [("a", Place::Variable("A_KEY".to_owned())), ("dgx", Place::Keyring), ("old", file.clone())];
    assert_eq!(listed, expected.map(|(name, place)| (name.to_owned(), place)));
    assert_eq!(store.remove("dgx").unwrap(), [Place::Keyring, file]);
    assert_eq!(store.remove("dgx").unwrap(), []);
    assert_eq!(store.find("dgx", "").unwrap(), None);
}

#[test]
fn a_key_file_others_can_read_is_refused_for_reading_and_writing() {
    let machine = Machine::new();
    let (env, dirs, ring) = (machine.env(), machine.dirs(), FakeRing::broken());
    let file = dirs.credentials_file();
    write(&file, "dgx: sk-SECRET\n");
    for mode in [0o640, 0o604, 0o644] {
        chmod(&file, mode);
        let store = KeyStore::new(&env, &dirs, &ring);
        for error in [store.find("dgx", "").unwrap_err(), store.set("dgx", "x").unwrap_err()] {
            let fault = Fault::from(error);
            assert!(fault.message.contains("holds keys and can be read by others"), "{fault}");
            assert_eq!(fault.hints, [format!("chmod 600 {}", file.display())]);
        }
    }
}

/// Every failure a key can be near to; none may show it, in words or in debug output.
#[test]
fn a_key_never_appears_in_messages_or_debug_output() {
    let machine = Machine::new();
    let (dirs, ring) = (machine.dirs(), FakeRing::broken());
    let key_file = machine.path("key").display().to_string();
    let env = |pairs: &[(&str, &str)]| mimi::config::env::Env::from_pairs(pairs.iter().copied());
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    // Variables, the file `key`, `credentials.yaml`, whether a key is found.
    let table: [(Pairs<'_>, &str, &str, bool); 12] = [
        (&[("K", "sk-SECRET")], "", "", true),
        (&[("K", "sk-SECRET two")], "", "", false),
        (&[("K", "sk-SECRET\u{e9}")], "", "", false),
        (&[("K", "   ")], "", "", false),
        (&[("K_FILE", &key_file)], "sk-SECRET\n", "", true),
        (&[("K_FILE", &key_file)], "sk-SECRET\nmore\n", "", false),
        (&[("K_FILE", "/nowhere/SE-CRET")], "", "", false),
        (&[], "", "dgx: sk-SECRET\n", true),
        (&[], "", "dgx: [sk-SECRET]\n", false),
        (&[], "", "sk-SECRET\n", false),
        (&[], "", "dgx: \"sk-SECRET\n", false),
        (&[], "", "dgx: 'sk-SECRET with spaces'\n", false),
    ];
    for (pairs, in_file, in_credentials, found) in table {
        write(&machine.path("key"), in_file);
        write(&dirs.credentials_file(), in_credentials);
        let env = env(pairs);
        let result = KeyStore::new(&env, &dirs, &ring).find("dgx", "K");
        assert_eq!(matches!(result, Ok(Some(_))), found, "{pairs:?} {in_file} {in_credentials}");
        let mut shown = format!("{result:?} {env:?}");
        if let Err(error) = result {
            shown += &Fault::from(error).to_string();
        }
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}

#[test]
fn names_and_keys_nobody_could_use_are_refused() {
    let machine = Machine::new();
    let (env, dirs, ring) = (machine.env(), machine.dirs(), FakeRing::default());
    let store = KeyStore::new(&env, &dirs, &ring);
    for name in ["", "a/b", "../x", "a b", "\u{1b}[31m"] {
        let shown = store.set(name, "sk-SECRET").unwrap_err().to_string();
        assert!(shown.contains("cannot be the name of a provider") && !shown.contains('\u{1b}'), "{shown}");
    }
    for key in ["", "  \n", "sk SECRET", "sk-SECRET\nx", "sk-SECRET\0", &"x".repeat(20_000)] {
        let shown = store.set("dgx", key).unwrap_err().to_string();
        assert!(shown.starts_with("the key from your input ") && !shown.contains("SECRET"), "{shown}");
    }
    assert_eq!(store.set("auto", "sk-1").unwrap(), Place::Keyring);
}
