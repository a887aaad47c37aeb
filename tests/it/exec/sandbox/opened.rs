//! Does what a user opens in their configuration count?
//!
//! A project that tries the same is refused: `tiers` and `tests/it/config/project.rs`.

use mimi::exec::sandbox::Tier;

use super::available;
use crate::support::Env;

#[test]
fn what_the_configuration_opens_is_open_and_nothing_else_is() {
    let env = Env::new();
    if available(Tier::Full, env.work(), env.home()).is_none() {
        return;
    }
    let outside = env.home().with_file_name("outside");
    let registry = env.home().join(".cargo/registry");
    for folder in [&outside, &registry] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(registry.join("crate"), "fetched\n").unwrap();
    let script = format!(
        "cat ~/.cargo/registry/crate; touch {0}/new 2>/dev/null && echo outside; touch ~/.cargo/registry/new 2>/dev/null && \
         echo registry; ls -d /dev/fuse 2>/dev/null; echo proxy:${{http_proxy:+yes}}",
        outside.display()
    );
    let run = |more: &[&str]| {
        let command = ["run", "--", "bash", "-c", &script];
        let words = ["sandbox"].iter().chain(more).chain(&command).copied();
        env.run(words).outcome().success().raw_stdout
    };
    assert_eq!(run(&[]), "fetched\nproxy:\n");
    assert_eq!(run(&["--allow-host", "crates.io"]), "fetched\nproxy:yes\n");
    env.write_home(
        ".config/mimi/config.yaml",
        format!(
            "sandbox: {{writable: ['{}'], caches: [cargo], devices: [fuse], hosts: [crates.io]}}\n",
            outside.display()
        ),
    );
    let fuse = if std::path::Path::new("/dev/fuse").exists() { "/dev/fuse\n" } else { "" };
    assert_eq!(run(&[]), format!("fetched\noutside\nregistry\n{fuse}proxy:yes\n"));
    assert!(outside.join("new").exists() && registry.join("new").exists());
}
