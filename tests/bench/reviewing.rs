//! How long does a large change take to be there to be reviewed?

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::terminal::Terminal;
use crate::user::User;
use crate::{Measured, Unit, spread};

const N_FILES: usize = 5000;
/// Lines of each file; all of them change: 200,000 in all.
const N_LINES: usize = 20;
const N_SAMPLES: usize = 7;

fn git(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
    for (name, value) in [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@x"), ("GIT_COMMITTER_NAME", "a")] {
        command.env(name, value);
    }
    let output = command.env("GIT_COMMITTER_EMAIL", "a@x").env("HOME", folder).output();
    let output = output.map_err(|error| error.to_string())?;
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn write(folder: &Path, word: &str) -> Result<(), String> {
    for n in 0..N_FILES {
        let path = folder.join(format!("d{}/f{n}.rs", n / 100));
        let text: String = (0..N_LINES).map(|line| format!("let {word}_{n}_{line} = call({line});\n")).collect();
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        made.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// From the start of `mimi review-diff` until the first file is shown.
pub fn large_change() -> Result<Measured, String> {
    let user = User::new("ada", "work").map_err(|error| error.to_string())?;
    let folder = user.project();
    write(folder, "old")?;
    git(folder, &["init", "--quiet"])?;
    git(folder, &["add", "--all"])?;
    git(folder, &["commit", "--quiet", "--message=start"])?;
    write(folder, "new")?;
    let mut samples = Vec::new();
    // The first one finds out what the sandbox can do.
    for at in 0..=N_SAMPLES {
        let began = Instant::now();
        let mut terminal = Terminal::review(&user)?;
        terminal.wait_for("5000 files")?;
        if at > 0 {
            samples.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    spread(samples, Unit::Milliseconds)
}
