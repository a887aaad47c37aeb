//! Ways out that need system calls: this program runs itself inside, with what to try in its environment.
#![allow(unsafe_code, reason = "system calls no library offers, with arguments that do nothing or fail")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use mimi::exec::run::Program;
use mimi::exec::sandbox::Tier;
use tokio_util::sync::CancellationToken;

use super::{Project, Stage};

/// The variable with what the inner program needs: ports and paths, in the order of [`Doors::words`].
const VARIABLE: &str = "MIMI_ESCAPE";

/// What is published to get out of the landlock tier.
pub fn published() -> BTreeSet<String> {
    let text = include_str!("landlock.yaml");
    text.lines().filter_map(|line| line.strip_prefix("- ")).map(|line| line.trim_matches('"').to_owned()).collect()
}

fn call(number: libc::c_long, arguments: [libc::c_long; 5]) -> std::io::Result<libc::c_long> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: pointers are zero or lead to memory that lives as long as the call.
    let result = unsafe { libc::syscall(number, a, b, c, d, e) };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}

/// Says whether the kernel did more than to refuse: bad addresses and values mean that it looked at them.
fn reached(result: std::io::Result<libc::c_long>) -> bool {
    let refusals = [libc::EPERM, libc::EACCES, libc::ENOSYS, libc::EAFNOSUPPORT, libc::ESRCH, libc::ENODEV];
    match result {
        Ok(_) => true,
        Err(error) => !refusals.contains(&error.raw_os_error().unwrap_or_default()),
    }
}

/// Calls that must not even look at their arguments.
fn calls(victim: libc::c_long) -> Vec<(&'static str, bool)> {
    let try_ = |number, arguments| reached(call(number, arguments));
    let name = c"probe".as_ptr() as libc::c_long;
    vec![
        ("call: ptrace", try_(libc::SYS_ptrace, [libc::PTRACE_SEIZE as libc::c_long, victim, 0, 0, 0])),
        ("call: process_vm_readv", try_(libc::SYS_process_vm_readv, [victim, 0, 0, 0, 0])),
        ("call: process_vm_writev", try_(libc::SYS_process_vm_writev, [victim, 0, 0, 0, 0])),
        ("call: pidfd_getfd", try_(libc::SYS_pidfd_getfd, [0, 0, 0, 0, 0])),
        ("call: kcmp", try_(libc::SYS_kcmp, [victim, victim, 0, 0, 0])),
        ("call: io_uring_setup", try_(libc::SYS_io_uring_setup, [1, 0, 0, 0, 0])),
        ("call: io_uring_enter", try_(libc::SYS_io_uring_enter, [0, 0, 0, 0, 0])),
        ("call: bpf", try_(libc::SYS_bpf, [0, 0, 0, 0, 0])),
        ("call: perf_event_open", try_(libc::SYS_perf_event_open, [0, 0, 0, 0, 0])),
        ("call: userfaultfd", try_(libc::SYS_userfaultfd, [1, 0, 0, 0, 0])),
        ("call: keyctl", try_(libc::SYS_keyctl, [0, -3, 0, 0, 0])),
        ("call: add_key", try_(libc::SYS_add_key, [name, name, name, 1, -3])),
        ("call: request_key", try_(libc::SYS_request_key, [name, name, 0, -3, 0])),
        ("call: unshare", try_(libc::SYS_unshare, [libc::c_long::from(libc::CLONE_NEWUSER), 0, 0, 0, 0])),
        ("call: setns", try_(libc::SYS_setns, [0, 0, 0, 0, 0])),
        ("call: clone3", try_(libc::SYS_clone3, [0, 0, 0, 0, 0])),
        ("call: clone into a user namespace", clones(libc::CLONE_NEWUSER)),
        ("call: clone into a network namespace", clones(libc::CLONE_NEWNET)),
        ("call: mount", try_(libc::SYS_mount, [0, 0, 0, 0, 0])),
        ("call: umount2", try_(libc::SYS_umount2, [name, 0, 0, 0, 0])),
        ("call: pivot_root", try_(libc::SYS_pivot_root, [name, name, 0, 0, 0])),
        ("call: move_mount", try_(libc::SYS_move_mount, [-1, name, -1, name, 0])),
        ("call: open_tree", try_(libc::SYS_open_tree, [-100, name, 1, 0, 0])),
        ("call: fsopen", try_(libc::SYS_fsopen, [name, 0, 0, 0, 0])),
        ("call: mount_setattr", try_(libc::SYS_mount_setattr, [-100, name, 0, 0, 0])),
        ("call: chroot", try_(libc::SYS_chroot, [name, 0, 0, 0, 0])),
        ("call: open_by_handle_at", try_(libc::SYS_open_by_handle_at, [-100, 0, 0, 0, 0])),
        ("call: openat2", try_(libc::SYS_openat2, [-100, name, 0, 0, 0])),
        ("call: fanotify_init", try_(libc::SYS_fanotify_init, [0, 0, 0, 0, 0])),
        ("call: init_module", try_(libc::SYS_init_module, [0, 0, 0, 0, 0])),
        ("call: finit_module", try_(libc::SYS_finit_module, [0, 0, 0, 0, 0])),
        ("call: kexec_load", try_(libc::SYS_kexec_load, [0, 0, 0, 0, 0])),
        ("call: reboot", try_(libc::SYS_reboot, [0, 0, 0, 0, 0])),
        ("call: swapon", try_(libc::SYS_swapon, [name, 0, 0, 0, 0])),
        ("call: acct", try_(libc::SYS_acct, [name, 0, 0, 0, 0])),
        ("call: syslog", try_(libc::SYS_syslog, [3, 0, 0, 0, 0])),
        ("call: sethostname", try_(libc::SYS_sethostname, [0, 0, 0, 0, 0])),
        ("call: settimeofday", try_(libc::SYS_settimeofday, [0, 0, 0, 0, 0])),
        ("call: clock_settime", try_(libc::SYS_clock_settime, [0, 0, 0, 0, 0])),
        ("call: adjtimex", try_(libc::SYS_adjtimex, [0, 0, 0, 0, 0])),
        ("call: quotactl", try_(libc::SYS_quotactl, [0, 0, 0, 0, 0])),
        ("call: typing into a terminal", try_(libc::SYS_ioctl, [1, 0x5412, name, 0, 0])),
        ("call: pasting into a terminal", try_(libc::SYS_ioctl, [1, 0x541c, name, 0, 0])),
        ("call: signal to the victim", try_(libc::SYS_kill, [victim, 0, 0, 0, 0])),
        ("call: iopl", cfg!(target_arch = "x86_64") && try_(172, [3, 0, 0, 0, 0])),
        ("call: modify_ldt", cfg!(target_arch = "x86_64") && try_(154, [0, 0, 0, 0, 0])),
    ]
}

fn clones(flag: libc::c_int) -> bool {
    let result = call(libc::SYS_clone, [libc::c_long::from(flag | libc::SIGCHLD), 0, 0, 0, 0]);
    if matches!(result, Ok(0)) {
        // The child of a clone that should not have been.
        std::process::exit(0);
    }
    reached(result)
}

fn socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> bool {
    let wide = libc::c_long::from;
    reached(call(libc::SYS_socket, [wide(family), wide(kind), wide(protocol), 0, 0]))
}

/// Kinds of sockets that lead past an own network, or into kernel code nobody needs.
fn sockets() -> Vec<(&'static str, bool)> {
    let raw = |family, protocol| socket(family, libc::SOCK_RAW, protocol);
    vec![
        ("socket: packet", raw(libc::AF_PACKET, 0)),
        ("socket: raw IP", raw(libc::AF_INET, libc::IPPROTO_ICMP)),
        ("socket: raw IPv6", raw(libc::AF_INET6, libc::IPPROTO_ICMPV6)),
        ("socket: vsock", socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
        ("socket: crypto", socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0)),
        ("socket: audit", raw(libc::AF_NETLINK, libc::NETLINK_AUDIT)),
        ("socket: netfilter", raw(libc::AF_NETLINK, libc::NETLINK_NETFILTER)),
        ("socket: device events", raw(libc::AF_NETLINK, libc::NETLINK_KOBJECT_UEVENT)),
        ("socket: bluetooth", raw(libc::AF_BLUETOOTH, 0)),
        ("socket: keys", raw(libc::AF_KEY, 2)),
        ("socket: RDS", socket(libc::AF_RDS, libc::SOCK_SEQPACKET, 0)),
        ("socket: TIPC", socket(libc::AF_TIPC, libc::SOCK_STREAM, 0)),
        ("socket: CAN", raw(libc::AF_CAN, 1)),
        ("socket: XDP", raw(44, 0)),
    ]
}

/// What waits outside for a visit.
struct Doors {
    tcp: TcpListener,
    tcp6: Option<TcpListener>,
    udp: UdpSocket,
    outside: UnixListener,
    home: UnixListener,
    hidden: UnixListener,
    letters: UnixDatagram,
}

impl Doors {
    fn open(stage: &Stage) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port().to_string();
        let doors = Self {
            tcp,
            tcp6: TcpListener::bind("[::1]:0").ok(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            outside: UnixListener::bind(stage.outside.join("socket")).unwrap(),
            home: UnixListener::bind(stage.home.join("socket")).unwrap(),
            hidden: UnixListener::bind_addr(&Self::hidden_name(&port)).unwrap(),
            letters: UnixDatagram::bind(stage.outside.join("letters")).unwrap(),
        };
        doors.tcp.set_nonblocking(true).unwrap();
        doors.udp.set_nonblocking(true).unwrap();
        doors.letters.set_nonblocking(true).unwrap();
        for door in [&doors.outside, &doors.home, &doors.hidden] {
            door.set_nonblocking(true).unwrap();
        }
        doors
    }

    fn hidden_name(port: &str) -> SocketAddr {
        SocketAddr::from_abstract_name(format!("mimi-escape-{port}")).unwrap()
    }

    fn words(&self, stage: &Stage) -> String {
        let port = |address: std::net::SocketAddr| address.port().to_string();
        let tcp6 = self.tcp6.as_ref().map_or(0, |door| door.local_addr().unwrap().port());
        [
            stage.victim.id().to_string(),
            port(self.tcp.local_addr().unwrap()),
            tcp6.to_string(),
            port(self.udp.local_addr().unwrap()),
            stage.outside.display().to_string(),
            stage.home.display().to_string(),
        ]
        .join(" ")
    }

    /// Names the doors somebody came through.
    fn visited(&self) -> Vec<&'static str> {
        let mut letter = [0; 8];
        let visits = [
            ("door: TCP", self.tcp.accept().is_ok()),
            ("door: UDP", self.udp.recv(&mut letter).is_ok()),
            ("door: socket outside", self.outside.accept().is_ok()),
            ("door: socket at home", self.home.accept().is_ok()),
            ("door: socket without a file", self.hidden.accept().is_ok()),
            ("door: letters", self.letters.recv(&mut letter).is_ok()),
        ];
        visits.iter().filter(|visit| visit.1).map(|visit| visit.0).collect()
    }
}

/// Knocks at every door; what counts is what the other side sees, and for the sixth version of IP what is said here.
fn knock(words: &[String]) -> Vec<(&'static str, bool)> {
    let port = |at: usize| words[at].parse::<u16>().unwrap();
    let path = |at: usize, name: &str| std::path::Path::new(&words[at]).join(name);
    drop(TcpStream::connect(("127.0.0.1", port(1))).map(|mut stream| stream.write_all(b"x")));
    if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
        drop(socket.send_to(b"x", ("127.0.0.1", port(3))));
    }
    for path in [path(4, "socket"), path(5, "socket")] {
        drop(UnixStream::connect(path));
    }
    drop(UnixStream::connect_addr(&Doors::hidden_name(&words[1])));
    for letters in [UnixDatagram::unbound().ok(), UnixDatagram::pair().ok().map(|pair| pair.0)].into_iter().flatten() {
        drop(letters.send_to(b"x", path(4, "letters")));
    }
    let sixth = port(2) != 0 && TcpStream::connect(("::1", port(2))).is_ok();
    vec![("door: TCP over IPv6", sixth)]
}

/// Runs inside when the variable is set, and is an empty test otherwise: the harness is what starts it there.
#[test]
fn inside() {
    let Ok(words) = std::env::var(VARIABLE) else { return };
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let victim = words[0].parse().unwrap();
    let all = [calls(victim), sockets(), knock(&words)].concat();
    let mut out = std::io::stdout();
    writeln!(out, "\ntried {}", all.len()).unwrap();
    for (name, _) in all.iter().filter(|row| row.1) {
        writeln!(out, "out {name}").unwrap();
    }
}

/// Returns how many ways were tried, and which got out.
async fn escapes(tier: Tier) -> Option<(usize, BTreeSet<String>)> {
    let mut stage = Stage::new(tier, Project::Guarded)?;
    let own = std::env::current_exe().unwrap();
    stage.sandbox().readable.push(own.clone());
    let doors = Doors::open(&stage);
    let runner = stage.runner(&[(VARIABLE, doors.words(&stage))]);
    let argv =
        [&own.display().to_string(), "--exact", "exec::sandbox::calls::inside", "--nocapture"].map(str::to_owned);
    let output = runner.run(stage.command(Program::Argv(argv.to_vec())), CancellationToken::new(), None).await.unwrap();
    let tried = output.text.lines().find_map(|line| line.strip_prefix("tried ")?.parse().ok());
    let tried: usize = tried.unwrap_or_else(|| panic!("{:?}: {}", output.ending, output.text));
    // Letters are on their way for a moment.
    tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await.unwrap_err();
    let said = output.text.lines().filter_map(|line| line.strip_prefix("out ")).map(str::to_owned);
    let found = said.chain(doors.visited().into_iter().map(str::to_owned)).collect();
    Some((tried + 6, found))
}

#[tokio::test]
async fn no_call_and_no_socket_gets_out_of_the_full_tier() {
    let Some((n_tried, found)) = escapes(Tier::Full).await else { return };
    assert!(n_tried >= 60, "{n_tried}");
    assert!(found.is_empty(), "{} of {n_tried}: {found:#?}", found.len());
}

#[tokio::test]
async fn only_published_calls_and_sockets_get_out_of_the_landlock_tier() {
    let Some((n_tried, found)) = escapes(Tier::Landlock).await else { return };
    let published = published();
    let news: Vec<&String> = found.iter().filter(|name| !published.contains(*name)).collect();
    assert!(news.is_empty(), "of {n_tried}, not published: {news:#?}");
}

#[tokio::test]
async fn without_a_sandbox_the_same_tries_do_get_out() {
    // What shows that the tries are real: a row that fails everywhere would prove nothing.
    let Some(mut stage) = Stage::new(Tier::Landlock, Project::Bare) else { return };
    stage.sandbox().tier = Tier::None;
    let doors = Doors::open(&stage);
    let own = std::env::current_exe().unwrap();
    let runner = stage.runner(&[(VARIABLE, doors.words(&stage))]);
    let argv =
        [&own.display().to_string(), "--exact", "exec::sandbox::calls::inside", "--nocapture"].map(str::to_owned);
    let argv = stage.command(Program::Argv(argv.to_vec()));
    runner.run(argv, CancellationToken::new(), None).await.unwrap();
    tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await.unwrap_err();
    let visited = doors.visited();
    assert_eq!(visited.len(), 6, "{visited:?}");
}
