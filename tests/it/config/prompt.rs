//! Is a key that is typed at the terminal neither shown nor lost?

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};

use mimi::exec::interactive::read_hidden_on;
use portable_pty::{PtySize, native_pty_system};

/// Types `keys` once the prompt is there. Returns what was read and what the screen showed.
fn type_keys(keys: &str) -> (std::io::Result<String>, String) {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let path = pair.master.tty_name().unwrap();
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    let (mut screen, mut keyboard) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let keys = keys.to_owned();
    let typist = std::thread::spawn(move || {
        let mut shown = Vec::new();
        let mut buffer = [0; 64];
        // What is typed before the prompt is thrown away, so that nothing is taken for a key by accident.
        while !shown.ends_with(b"key: ") {
            let n_read = screen.read(&mut buffer).unwrap();
            shown.extend_from_slice(&buffer[..n_read]);
        }
        keyboard.write_all(keys.as_bytes()).unwrap();
        while !shown.ends_with(b"\n") {
            let n_read = screen.read(&mut buffer).unwrap();
            shown.extend_from_slice(&buffer[..n_read]);
        }
        String::from_utf8(shown).unwrap()
    });
    let line = read_hidden_on(&terminal, "key: ");
    (line, typist.join().unwrap())
}

#[test]
fn what_is_typed_is_read_and_never_shown() {
    let table = [
        ("sk-SECRET\r", "sk-SECRET"),
        ("sk-SECREX\u{7f}T\n", "sk-SECRET"),
        ("wrong\u{15}sk-SECRET\r", "sk-SECRET"),
        ("sk-SECRET\u{4}", "sk-SECRET"),
        ("\r", ""),
    ];
    for (keys, expected) in table {
        let (line, screen) = type_keys(keys);
        assert_eq!((line.unwrap().as_str(), screen.as_str()), (expected, "key: \r\n"), "{keys:?}");
    }
}

#[test]
fn ctrl_c_gives_up() {
    let (line, screen) = type_keys("sk-SECRET\u{3}");
    assert_eq!((line.unwrap_err().kind(), screen.as_str()), (ErrorKind::Interrupted, "key: \r\n"));
}
