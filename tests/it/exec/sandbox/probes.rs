//! Ways out that a shell can try, one a row.
//!
//! `$T` is a folder outside with `file` and `dir/`, `$W` the project, `$P` a process of somebody else, `~` the home folder.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use mimi::exec::sandbox::Tier;

use super::{PROTECTED, Project, SECRET, Stage, differences};

/// What shows that a row got out, besides a secret in what it printed and anything outside that changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Nothing else.
    State,
    /// Its exit code 0.
    Success,
}
use Sign::{State, Success};

const ROWS: &[(&str, Sign, &str)] = &[
    // Changing files elsewhere.
    ("write: over a file", State, "echo x > $T/file"),
    ("write: behind a file", State, "echo x >> $T/file"),
    ("write: cut a file", State, "truncate -s 0 $T/file"),
    ("write: new file", State, "echo x > $T/new"),
    ("write: with dd", State, "dd if=/dev/zero of=$T/file bs=1 count=1 conv=notrunc"),
    ("write: with tee", State, "echo x | tee -a $T/file"),
    ("write: with sed -i", State, "sed -i s/e/x/ $T/file"),
    ("write: with cp", State, "cp src/lib.rs $T/file"),
    ("write: with install", State, "install -m 755 src/lib.rs $T/new"),
    ("write: remove", State, "rm -f $T/file"),
    ("write: move away", State, "mv $T/file src/stolen; cat src/stolen"),
    ("write: move there", State, "mv src/lib.rs $T/new"),
    ("write: new folder", State, "mkdir $T/new"),
    ("write: remove a folder", State, "rmdir $T/dir"),
    ("write: rename a folder", State, "mv $T/dir $T/new"),
    ("write: link there", State, "ln -s /etc/passwd $T/new"),
    ("write: hard link there", State, "ln src/lib.rs $T/new"),
    ("write: hard link from there", State, "ln $T/file src/hard && echo x >> src/hard"),
    ("write: pipe there", State, "mkfifo $T/new"),
    ("write: device there", State, "mknod $T/new c 1 3"),
    ("write: disk device here", Success, "mknod src/disk b 254 0 && head -c 1 src/disk"),
    ("write: mode", State, "chmod 777 $T/file"),
    ("write: mode of a folder", State, "chmod 777 $T"),
    ("write: owner", State, "chown 12345 $T/file"),
    ("write: group", State, "chgrp 12345 $T/file"),
    ("write: times", State, "touch -d 2001-01-01 $T/file"),
    (
        "write: attribute",
        State,
        "setfattr -n user.x -v y $T/file || python3 -c 'import os,sys; os.setxattr(sys.argv[1],\"user.x\",b\"y\")' $T/file",
    ),
    ("write: access list", State, "setfacl -m u:12345:rwx $T/file"),
    ("write: flags", State, "chattr +A $T/file && lsattr $T/file | grep -q A && false"),
    ("write: space", State, "fallocate -l 1M $T/file"),
    ("write: through a link", State, "ln -s $T src/l && echo x > src/l/file"),
    ("write: through a link made by hand", State, "ln -sfn $T/file src/l; echo x > src/l"),
    ("write: through dots", State, "echo x > $W/src/../../outside/file"),
    ("write: through the working folder in /proc", State, "echo x > /proc/self/cwd/../outside/file"),
    ("write: through the root in /proc", State, "echo x > /proc/self/root$T/file"),
    ("write: through the root of process 1", State, "echo x > /proc/1/root$T/file"),
    ("write: through the working folder of process 1", State, "echo x > /proc/1/cwd/../outside/file"),
    ("write: through the parent", State, "echo x > /proc/$PPID/root$T/file; echo x > /proc/$PPID/cwd/../outside/file"),
    ("write: through the victim", State, "echo x > /proc/$P/root$T/file"),
    ("write: unpack there", State, "tar cf src/a.tar src/lib.rs && tar xf src/a.tar -C $T"),
    ("write: a shell's startup file", State, "echo x >> ~/.bashrc; echo x >> ~/.profile"),
    ("write: a key that opens a door", State, "mkdir -p ~/.ssh; echo x >> ~/.ssh/authorized_keys"),
    (
        "write: something that starts at login",
        State,
        "mkdir -p ~/.config/autostart && echo x > ~/.config/autostart/x.desktop",
    ),
    ("write: a program of the user", State, "mkdir -p ~/.local/bin && echo x > ~/.local/bin/ls"),
    ("write: a toolchain", State, "echo x >> ~/.cargo/config.toml"),
    ("write: mimi's settings", State, "mkdir -p ~/.config/mimi; echo x >> ~/.config/mimi/config.yaml"),
    ("write: the system", Success, "touch /usr/x || touch /etc/x || touch /opt/x"),
    ("write: the top", Success, "touch /x || mkdir /y"),
    ("write: a set-user-id program", Success, "cp /bin/true src/s && chmod 4755 src/s"),
    ("write: a set-group-id program", Success, "cp /bin/true src/s && chmod g+s src/s"),
    ("write: a set-user-id program at once", Success, "install -m 4755 /bin/true src/s && test -u src/s"),
    // Reading what is nobody's business.
    ("read: a file elsewhere", State, "cat $T/file"),
    ("read: copy", State, "cp $T/file src/copy; cat src/copy"),
    ("read: in the home folder", State, "cat ~/notes/diary.txt"),
    ("read: SSH keys", State, "cat ~/.ssh/id_ed25519"),
    ("read: AWS", State, "cat ~/.aws/credentials"),
    ("read: netrc", State, "cat ~/.netrc"),
    ("read: GitHub", State, "cat ~/.config/gh/hosts.yml"),
    ("read: Docker", State, "cat ~/.docker/config.json"),
    ("read: Kubernetes", State, "cat ~/.kube/config"),
    ("read: GnuPG", State, "cat ~/.gnupg/key"),
    ("read: mimi's keys", State, "cat ~/.config/mimi/credentials.yaml"),
    ("read: mimi's sessions", State, "cat ~/.local/state/mimi/session"),
    ("read: cargo's keys", State, "cat ~/.cargo/credentials.toml"),
    ("read: npm", State, "cat ~/.npmrc"),
    ("read: git's keys", State, "cat ~/.git-credentials"),
    ("read: history", State, "cat ~/.bash_history"),
    ("read: everything at home", State, "grep -rh secret ~ 2>/dev/null"),
    ("read: packed", State, "tar c ~/.ssh | cat"),
    ("read: through a link", State, "ln -s ~/.ssh src/l; cat src/l/*"),
    ("read: through /proc", State, "cat /proc/self/root$HOME/.ssh/id_ed25519 /proc/1/root$HOME/.ssh/id_ed25519"),
    ("read: below a mask", State, "umount ~ ; rmdir ~/.cargo; cat ~/.cargo/credentials.toml"),
    ("read: passwords", Success, "cat /etc/shadow"),
    ("read: memory of the machine", Success, "head -c 1 /dev/mem || head -c 1 /proc/kcore || head -c 1 /dev/kmsg"),
    ("read: disks", Success, "cat /dev/sd? /dev/vd? /dev/nvme?n? | head -c 1 | grep -q ."),
    ("read: the kernel's messages", Success, "dmesg"),
    // Other processes.
    ("process: kill", State, "kill -9 $P"),
    ("process: stop", State, "kill -STOP $P"),
    ("process: kill all", State, "kill -9 -1"),
    ("process: by name", State, "pkill -9 sleep; killall -9 sleep"),
    ("process: its environment", State, "tr '\\0' '\\n' < /proc/$P/environ"),
    ("process: every environment", State, "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep NOTE"),
    ("process: its memory", Success, "exec 3<>/proc/$P/mem"),
    ("process: its files", Success, "ls -l /proc/$P/fd"),
    ("process: its root", Success, "ls /proc/$P/root/"),
    ("process: its priority", State, "renice 19 $P"),
    ("process: its limits", State, "prlimit --pid $P --nofile=5:5"),
    ("process: its processors", Success, "taskset -p 1 $P"),
    ("process: its place when memory ends", State, "echo 999 > /proc/$P/oom_score_adj"),
    ("process: mimi's environment", State, "tr '\\0' '\\n' < /proc/$PPID/environ | grep KEY"),
    ("process: a session that lasts", State, "setsid -f sh -c \"sleep 2; echo x > $T/new\""),
    // Namespaces, mounts, rights.
    ("kernel: user namespace", Success, "unshare -U true"),
    ("kernel: root in a namespace", Success, "unshare -r true"),
    ("kernel: mount namespace", Success, "unshare -m true"),
    ("kernel: network namespace", Success, "unshare -n true"),
    ("kernel: enter process 1", Success, "nsenter -t 1 -m true"),
    ("kernel: enter the victim", Success, "nsenter -t $P -n true"),
    ("kernel: mount", Success, "mount -t tmpfs none src"),
    ("kernel: mount /proc", Success, "mount -t proc none src"),
    ("kernel: bind", Success, "mount --bind /tmp src"),
    ("kernel: writable again", Success, "mount -o remount,rw / || mount -o remount,bind,rw /usr"),
    ("kernel: unmount", Success, "umount -l /proc || umount -l $W/.git || umount -l /tmp"),
    ("kernel: another root", Success, "chroot / true"),
    ("kernel: host name", Success, "hostname \"$(hostname)\""),
    ("kernel: clock", Success, "date -s \"$(date)\""),
    ("kernel: settings", Success, "v=$(cat /proc/sys/kernel/panic); echo $v > /proc/sys/kernel/panic"),
    (
        "kernel: core pattern",
        Success,
        "v=$(cat /proc/sys/kernel/core_pattern); echo \"$v\" > /proc/sys/kernel/core_pattern",
    ),
    ("kernel: magic keys", Success, "echo h > /proc/sysrq-trigger"),
    (
        "kernel: devices",
        Success,
        "find /sys -name uevent -type f 2>/dev/null | head -1 | xargs -I{} sh -c 'echo add > {}'",
    ),
    ("kernel: control groups", Success, "mkdir /sys/fs/cgroup/mimi-probe"),
    ("kernel: swap", Success, "truncate -s 1M src/s && mkswap src/s && swapon src/s"),
    ("kernel: modules", Success, "modprobe loop && lsmod | grep -q nothing-real || insmod src/lib.rs"),
    ("rights: sudo", Success, "sudo -n true"),
    ("rights: su", Success, "su nobody -s /bin/true"),
    ("rights: capabilities", Success, "! grep -q '^CapEff:.0*$' /proc/self/status"),
    ("rights: no_new_privs is set", Success, "! grep -q '^NoNewPrivs:.1' /proc/self/status"),
    ("rights: the filter is up", Success, "! grep -q '^Seccomp:.2' /proc/self/status"),
    ("rights: another user", Success, "setpriv --reuid 12345 --clear-groups true"),
    // Terminals and what was left open.
    ("open: a terminal", Success, "exec 3<>/dev/tty"),
    ("open: terminals of others", Success, "for t in /dev/pts/[0-9]*; do echo x > $t && exit 0; done; exit 1"),
    (
        "open: descriptors of mimi",
        Success,
        "for f in /proc/self/fd/*; do case ${f##*/} in 0|1|2|3|255) ;; *) readlink $f && exit 0;; esac; done; exit 1",
    ),
    ("open: the lifeline", Success, "echo exited 0 0 > /proc/1/fd/0 || echo exited 0 0 > /proc/$PPID/fd/0"),
    ("open: core dumps", Success, "test \"$(ulimit -c)\" != 0 && ulimit -c unlimited"),
    // The network.
    ("net: names", Success, "getent ahosts example.com"),
    ("net: a way out", Success, "ip route get 1.1.1.1"),
    ("net: TCP by the shell", Success, "exec 3<>/dev/tcp/1.1.1.1/53"),
    ("net: UDP by the shell", Success, "exec 3<>/dev/udp/1.1.1.1/53 && echo x >&3"),
    ("net: Docker", Success, "test -S /var/run/docker.sock || test -S /run/docker.sock"),
    ("net: the log", Success, "test -S /dev/log && logger -s x"),
    ("net: D-Bus", Success, "test -S /run/dbus/system_bus_socket || test -S /run/user/$(id -u)/bus"),
];

/// Ways at each protected name.
const AT_NAMES: &[(&str, &str)] = &[
    ("write into", "echo x >> $N/config || echo x >> $N"),
    ("create in", "mkdir -p $N && echo x > $N/new"),
    ("remove", "rm -rf $N"),
    ("rename", "mv $N src/away && mkdir $N && echo x > $N/config"),
    ("replace by a link", "ln -sfn src $N; ln -sT src $N"),
    ("replace by a file", "rm -rf $N; cp src/lib.rs $N"),
];

/// Ways at parts of a repository.
const IN_REPOSITORY: &[(&str, &str)] = &[
    ("a hook", "echo x > .git/hooks/pre-commit"),
    ("a filter", "echo '* filter=x' > .git/info/attributes"),
    ("settings of the work tree", "echo x > .git/config.worktree"),
    ("a common folder", "echo .. > .git/commondir"),
    ("borrowed objects", "mkdir -p .git/objects/info && echo /x > .git/objects/info/alternates"),
    ("a lock", "touch .git/index.lock"),
    ("a module", "mkdir -p .git/modules/x && echo x > .git/modules/x/config"),
    ("by git itself", "git config core.fsmonitor ./x"),
    ("by git with hooks elsewhere", "git config --local core.hooksPath src"),
    ("a hard link", "ln .git/config src/c && echo x >> src/c"),
    ("through a link", "ln -s ../.git src/g && echo x > src/g/config"),
    ("through /proc", "echo x > /proc/self/cwd/.git/config"),
    ("its mode", "chmod 777 .git/config"),
    ("its times", "touch -d 2001-01-01 .git/config"),
    ("moved with its folder", "cd .. && mv work moved"),
    ("mounted over", "mount --bind src .git"),
];

/// Every row: name, project, sign, script.
fn rows() -> Vec<(String, Project, Sign, String)> {
    let mut rows: Vec<_> = ROWS
        .iter()
        .map(|(name, sign, script)| ((*name).to_owned(), Project::Guarded, *sign, (*script).to_owned()))
        .collect();
    for (project, word) in [(Project::Guarded, "present"), (Project::Bare, "absent")] {
        for name in PROTECTED {
            for (way, script) in AT_NAMES {
                rows.push((format!("{word}: {way} {name}"), project, State, format!("N={name}; {script}")));
            }
        }
    }
    for (way, script) in IN_REPOSITORY {
        rows.push((format!(".git: {way}"), Project::Guarded, State, (*script).to_owned()));
    }
    rows
}

/// Tries every row; returns how many there were and the names of those that got out.
async fn escapes(tier: Tier) -> Option<(usize, BTreeSet<String>)> {
    Stage::new(tier, Project::Bare)?;
    let rows = rows();
    let n_rows = rows.len();
    let tried = futures_util::stream::iter(rows).map(|(name, project, sign, script)| async move {
        let stage = Stage::new(tier, project).unwrap();
        let before = stage.state();
        // A shell of its own, so that no way of ending it hides what it printed.
        let output = stage.run(&format!("( {script}\n) 2>/dev/null && echo it-went-through")).await;
        let mut signs = differences(&before, &stage.state());
        signs.extend(output.text.contains(SECRET).then(|| "a secret".to_owned()));
        signs.extend((sign == Success && output.text.contains("it-went-through")).then(|| output.text.clone()));
        (!signs.is_empty()).then(|| {
            eprintln!("{}: {name}: {signs:?}", tier.name());
            name
        })
    });
    let found: BTreeSet<String> = tried.buffer_unordered(4).filter_map(std::future::ready).collect().await;
    Some((n_rows, found))
}

#[tokio::test]
async fn nothing_gets_out_of_the_full_tier() {
    let Some((n_rows, found)) = escapes(Tier::Full).await else { return };
    assert!(n_rows >= 120, "{n_rows}");
    assert!(found.is_empty(), "{} of {n_rows} got out: {found:#?}", found.len());
}

#[tokio::test]
async fn only_what_is_published_gets_out_of_the_landlock_tier() {
    let Some((n_rows, found)) = escapes(Tier::Landlock).await else { return };
    let published = super::calls::published();
    let news: Vec<&String> = found.iter().filter(|name| !published.contains(*name)).collect();
    assert!(news.is_empty(), "{} of {n_rows} got out, not published: {news:#?}", found.len());
}
