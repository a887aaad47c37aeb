//! Does every command that wants to hear from a person end soon, with a reason?

use std::time::Duration;

use mimi::exec::run::Ending;

use super::Bench;

/// Commands that read from a terminal or from standard input, and what makes them wait elsewhere.
const HUNGRY: &[&str] = &[
    "cat",
    "cat -",
    "read line",
    "read -r -p 'name? ' line </dev/tty",
    "read -rs password </dev/tty",
    "sh -c 'stty -echo </dev/tty; read x </dev/tty'",
    "bash -i",
    "bash --login -i",
    "sh -s",
    "exec </dev/tty && cat",
    "python3 -c 'input()'",
    "python3 -c 'import getpass; getpass.getpass()'",
    "python3 -i",
    "python3 -c 'open(\"/dev/tty\").read()'",
    "perl -e '<STDIN>; open(T, \"/dev/tty\") or die $!; <T>'",
    "perl",
    "awk '{print}'",
    "sed p",
    "sort",
    "tr a b",
    "grep x",
    "wc -l",
    "head -n 1",
    "tee out.txt",
    "xargs echo",
    "more",
    "less",
    "vi x",
    "nano x",
    "ed",
    "ssh-keygen -y -f key",
    "ssh-keygen -p -f key",
    "gpg --symmetric key",
    "su nobody -c true",
    "sudo -k true",
    "git commit",
    "git commit --amend",
    "git rebase -i --root",
    "git add -p",
    "git clone https://user@127.0.0.1:1/x",
    "git credential fill <<<'url=https://example.invalid/'",
    "openssl rsa -in key -aes128",
    "script -q -c cat /dev/null",
    "sleep infinity </dev/tty",
    "rm -i key",
    "cp -i key copy",
    "mv -i key copy",
];

#[tokio::test]
async fn commands_that_want_a_person_end_by_themselves() {
    let bench = Bench::new();
    let key = bench.folder.path().join("key");
    std::fs::write(&key, "-----BEGIN OPENSSH PRIVATE KEY-----\nnone\n-----END OPENSSH PRIVATE KEY-----\n").unwrap();
    std::fs::write(bench.folder.path().join("copy"), "").unwrap();
    bench
        .run("git init -q . && git add key && git -c user.name=t -c user.email=t@t commit -qm one && echo >> key")
        .await;
    let mut table = Vec::new();
    for commands in HUNGRY.chunks(8) {
        let runs = commands.iter().map(async |command| (command, bench.run(command).await));
        table.extend(futures_util::future::join_all(runs).await);
    }
    for (command, output) in &table {
        assert!(matches!(output.ending, Ending::Exited(_)), "`{command}` waited: {:?} {}", output.ending, output.text);
    }
    // Those that asked the terminal itself say why they got no answer.
    for (command, output) in
        table.iter().filter(|(command, _)| command.contains("</dev/tty") && !command.contains("sh -c"))
    {
        assert!(output.text.contains("No such device or address"), "`{command}`: {}", output.text);
        assert_ne!(output.ending, Ending::Exited(0), "{command}");
    }
    bench.assert_nobody_left(Duration::from_secs(2), "hungry commands");
}
