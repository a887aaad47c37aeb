//! Which of our environment variables may a command see?
//!
//! Starts from nothing and lets through an allow-list, because the list of dangerous names has no end: keys, tokens, agent
//! sockets, and variables such as `BASH_ENV`, `LD_PRELOAD` or `GIT_SSH_COMMAND` that run code in whatever is started.
//! Must not read the environment itself: that is for `config`.

use std::collections::BTreeMap;

/// Names let through when set: who and where we are, and where toolchains live.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "HOME", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "SHELL", "TMPDIR", // who and where
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", // not XDG_RUNTIME_DIR: it holds sockets
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", // public by nature
    "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", // Rust
    "GOPATH", "GOROOT", "GOBIN", "GOCACHE", "GOMODCACHE", // Go
    "JAVA_HOME", "MAVEN_HOME", "M2_HOME", "GRADLE_HOME", "GRADLE_USER_HOME", "SDKMAN_DIR", "ANDROID_HOME", // Java
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYENV_ROOT", "UV_CACHE_DIR", "PIP_CACHE_DIR", // Python
    "NVM_DIR", "NVM_BIN", "FNM_DIR", "VOLTA_HOME", "PNPM_HOME", "DENO_DIR", "BUN_INSTALL", // JavaScript
    "RBENV_ROOT", "GEM_HOME", "GEM_PATH", "DOTNET_ROOT", "ASDF_DIR", "ASDF_DATA_DIR", "MISE_DATA_DIR", // others
    "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CC", "CXX", "PKG_CONFIG_PATH", // native builds
    "LC_*", // glob
];

/// Parts of names that hold secrets; such a name passes only when the user wrote it out in full.
const SECRET: &[&str] = &["TOKEN", "SECRET", "KEY", "PASS", "CREDENTIAL"];

/// Set for every command: no colour, no pager, and nothing that waits for a person who cannot answer.
const FIXED: &[(&str, &str)] = &[
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("EDITOR", "true"),
    ("VISUAL", "true"),
    // Started by itself on a pipe it would wait for ever; commands given to it (`-c`, `-S`) have been carried out by then.
    ("VIMINIT", "autocmd VimEnter * cquit"),
    ("GIT_EDITOR", "true"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "never"),
    ("SSH_ASKPASS", "/bin/false"),
    ("DEBIAN_FRONTEND", "noninteractive"),
];

/// Where programs are looked for when our own `PATH` says nothing usable.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Builds the environment of commands from ours: the allow-list, the names in `pass`, and what keeps programs from asking.
///
/// A name in `pass` may end in `*`. Names that look like secrets pass only when `pass` holds them in full. Entries of
/// `PATH` that are not absolute are dropped, since they would find programs of the project in place of the system's.
pub fn clean(vars: impl Iterator<Item = (String, String)>, pass: &[String]) -> Vec<(String, String)> {
    let mut kept: BTreeMap<String, String> =
        FIXED.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    kept.insert("PATH".to_owned(), DEFAULT_PATH.to_owned());
    for (name, value) in vars {
        if name == "PATH" {
            kept.extend(absolute_entries(&value).map(|path| (name, path)));
        } else if is_passed(&name, pass) {
            kept.insert(name, value);
        }
    }
    kept.into_iter().collect()
}

/// Names the process tree that this process belongs to: `given` by the mimi that started it, else the session of the system
/// (a terminal, a CI job), told apart from those of other machines and other boots that share a home.
pub fn tree_name(given: Option<&str>) -> String {
    let is_name =
        |name: &&str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if let Some(name) = given.filter(|name| !name.is_empty()).filter(is_name) {
        return name.to_owned();
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}-{}", session_of(&stat), boot.split('-').next().unwrap_or_default().trim())
}

/// The session in a line of `/proc/PID/stat` (`proc_pid_stat(5)`), 0 when it was started outside of the PID namespace we
/// live in. Asking the kernel by `getsid` would answer 0 as well, which rustix takes for impossible.
fn session_of(stat: &str) -> u32 {
    // The name, in brackets, may hold blanks and brackets itself.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_ascii_whitespace().nth(3).and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn is_passed(name: &str, pass: &[String]) -> bool {
    if pass.iter().any(|wanted| wanted == name) {
        return true;
    }
    let mut patterns = ALLOWED.iter().copied().chain(pass.iter().map(String::as_str));
    patterns.any(|pattern| matches(pattern, name)) && !looks_secret(name)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    SECRET.iter().any(|part| name.contains(part))
}

fn absolute_entries(path: &str) -> Option<String> {
    let entries: Vec<&str> = path.split(':').filter(|entry| entry.starts_with('/')).collect();
    (!entries.is_empty()).then(|| entries.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_see_the_allow_list_and_what_the_user_passes() {
        let pass = ["MY_FLAG".to_owned(), "CI_*".to_owned(), "NPM_TOKEN".to_owned(), "GIT_PAGER".to_owned()];
        // Name, value, what the command sees.
        let table = [
            ("HOME", "/home/u", Some("/home/u")),
            ("LC_ALL", "C.UTF-8", Some("C.UTF-8")),
            ("LC_SECRET", "x", None),
            ("CARGO_HOME", "/c", Some("/c")),
            ("OPENAI_API_KEY", "sk", None),
            ("AWS_SECRET_ACCESS_KEY", "x", None),
            ("SSH_AUTH_SOCK", "/tmp/s", None),
            ("BASH_ENV", "/tmp/evil", None),
            ("LD_PRELOAD", "/tmp/evil.so", None),
            ("GIT_SSH_COMMAND", "evil", None),
            ("PYTHONSTARTUP", "evil", None),
            ("MIMI_API_KEY", "x", None),
            ("MY_FLAG", "1", Some("1")),
            ("CI_JOB", "7", Some("7")),
            ("CI_JOB_TOKEN", "x", None),
            ("NPM_TOKEN", "n", Some("n")),
            ("TERM", "xterm-256color", Some("dumb")),
            ("GIT_TERMINAL_PROMPT", "1", Some("0")),
            ("GIT_PAGER", "less", Some("less")),
            ("PATH", "node_modules/.bin:/usr/bin::.:/bin", Some("/usr/bin:/bin")),
        ];
        let vars = table.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned()));
        let cleaned: BTreeMap<String, String> = clean(vars, &pass).into_iter().collect();
        for (name, _, expected) in table {
            assert_eq!(cleaned.get(name).map(String::as_str), expected, "{name}");
        }
    }

    #[test]
    fn a_tree_is_named_by_who_started_us_or_by_the_session() {
        let own = tree_name(None);
        assert!(own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{own}");
        for (given, expected) in [("1234-ab", "1234-ab"), ("", own.as_str()), ("../x", &own), (&"a".repeat(65), &own)] {
            assert_eq!(tree_name(Some(given)), expected, "{given}");
        }
    }

    #[test]
    fn a_session_is_read_past_any_name_and_may_lie_outside_of_our_namespace() {
        for (stat, expected) in [
            ("12 (mimi) S 1 12 9 34816 12", 9),
            ("12 (a) b) S 1 12 77 0 -1", 77),
            ("2 (mimi) R 1 0 0 0 -1", 0),
            ("", 0),
            ("12 (mimi", 0),
        ] {
            assert_eq!(session_of(stat), expected, "{stat}");
        }
    }

    #[test]
    fn an_empty_environment_still_finds_programs_and_never_prompts() {
        let cleaned = clean(std::iter::empty(), &[]);
        for (name, value) in FIXED.iter().chain(&[("PATH", DEFAULT_PATH)]) {
            assert!(cleaned.contains(&((*name).to_owned(), (*value).to_owned())), "{name}");
        }
        assert!(!cleaned.iter().any(|(name, _)| name == "PYTHONDONTWRITEBYTECODE"));
    }
}
