//! Which system calls can a confined command not make?
//!
//! A list of what is refused, because a list of what is allowed breaks with every new runtime: calls that look into other
//! processes, change the machine, or open kernel code that no build and no test needs. Paths cannot be judged here, only
//! numbers. Programs ask for new calls first and fall back when those are missing, so some are said to be missing.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

/// Refused with `EPERM` whatever the arguments.
#[rustfmt::skip]
const REFUSED: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd, libc::SYS_kcmp,
    libc::SYS_process_madvise, libc::SYS_migrate_pages, libc::SYS_move_pages,
    // Namespaces and mounts.
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot,
    libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount,
    libc::SYS_fspick, libc::SYS_mount_setattr, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_quotactl,
    libc::SYS_quotactl_fd, libc::SYS_open_by_handle_at, libc::SYS_fanotify_init,
    // Kernel code with a history.
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_keyctl, libc::SYS_add_key,
    libc::SYS_request_key,
    // The machine.
    libc::SYS_reboot, libc::SYS_kexec_load, libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module,
    libc::SYS_acct, libc::SYS_syslog, libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_settimeofday,
    libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex, libc::SYS_vhangup, libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Said to be missing: programs then take `clone` and `openat`, whose arguments can be judged, and `epoll`.
const MISSING: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_openat2,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Kinds of namespaces `clone` could make (`sched.h`; time namespaces share a bit with the exit signal and need `unshare`).
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Orders to a terminal that put words into somebody else's input (`ioctl_tty(2)`).
const TERMINAL: [u64; 2] = [0x5412, 0x541c];

/// Bits of a mode that make a program run as its owner or group.
const SET_ID: [u64; 2] = [0o4000, 0o2000];

/// Where the number of the call is loaded: instruction of every program seccompiler builds, behind the check of the machine.
const NUMBER_LOADED: usize = 3;
/// Numbers from here on are calls of the x32 interface, under which every call exists a second time.
const X32: u32 = 0x4000_0000;

/// Version of Landlock that judges the cutting of files by name, since 6.2.
const JUDGES_TRUNCATE: u32 = 3;

/// Puts up the filter for this thread and everything it starts; `landlock` is the version of it that stands besides, where
/// there are no namespaces.
pub(crate) fn apply(landlock: Option<u32>) -> Result<(), String> {
    for program in programs(landlock).map_err(|error| format!("seccomp: {error}"))? {
        apply_filter(&program).map_err(|error| format!("seccomp: {error}"))?;
    }
    Ok(())
}

fn programs(landlock: Option<u32>) -> Result<Vec<BpfProgram>, BackendError> {
    let refused = build(refused(landlock)?, libc::EPERM)?;
    let missing = build(MISSING.iter().map(|call| (*call, Vec::new())).collect(), libc::ENOSYS)?;
    let sockets = build(sockets(if landlock.is_some() { Network::Hosts } else { Network::Own })?, libc::EAFNOSUPPORT)?;
    Ok(vec![refused, missing, sockets])
}

/// Whose network a command is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    Own,
    Hosts,
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn build(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut program: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)?.try_into()?;
    if cfg!(target_arch = "x86_64") {
        let jump = |jt, jf, k| sock_filter { code: 0x35, jt, jf, k };
        // BPF_JMP | BPF_JGE | BPF_K, then BPF_RET | BPF_K with SECCOMP_RET_KILL_PROCESS.
        let kill = sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x8000_0000 };
        let at = NUMBER_LOADED + 1;
        program.splice(at..at, [jump(0, 1, X32), kill]);
    }
    Ok(program)
}

fn refused(landlock: Option<u32>) -> Result<Rules, BackendError> {
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
    let with_flag = |argument, flag: u64| one(argument, SeccompCmpOp::MaskedEq(flag), flag);
    let flags: Result<_, _> = NAMESPACES.iter().map(|flag| with_flag(0, u64::from(*flag as u32))).collect();
    rules.insert(libc::SYS_clone, flags?);
    let orders: Result<_, _> = TERMINAL.iter().map(|order| one(1, SeccompCmpOp::Eq, *order)).collect();
    rules.insert(libc::SYS_ioctl, orders?);
    refuse_set_id(&mut rules)?;
    if let Some(version) = landlock {
        // Landlock judges neither; both reach files that may not even be read.
        for call in [libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, libc::SYS_removexattr] {
            rules.insert(call, Vec::new());
        }
        for call in [libc::SYS_lremovexattr, libc::SYS_fremovexattr, libc::SYS_fchownat, libc::SYS_fchown] {
            rules.insert(call, Vec::new());
        }
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_chown, libc::SYS_lchown] {
            rules.insert(call, Vec::new());
        }
        // Of other processes; asking for one's own by number is rare.
        rules.insert(libc::SYS_prlimit64, vec![one(0, SeccompCmpOp::Ne, 0)?]);
        rules.insert(libc::SYS_setpriority, vec![one(1, SeccompCmpOp::Ne, 0)?]);
        if version < JUDGES_TRUNCATE {
            rules.insert(libc::SYS_truncate, Vec::new());
        }
    }
    Ok(rules)
}

/// Refuses to make programs that run as their owner, who is the user, for whoever starts them.
fn refuse_set_id(rules: &mut Rules) -> Result<(), BackendError> {
    let set_id = |argument| {
        SET_ID.iter().map(|bit| one(argument, SeccompCmpOp::MaskedEq(*bit), *bit)).collect::<Result<Vec<_>, _>>()
    };
    // The mode counts only where a file is made; otherwise the argument may hold anything.
    let made = |flags: u8| {
        let creates = SeccompCmpOp::MaskedEq(libc::O_CREAT as u64);
        let rule = |bit: &u64| {
            let creates = SeccompCondition::new(flags, SeccompCmpArgLen::Dword, creates.clone(), libc::O_CREAT as u64)?;
            let set_id = SeccompCondition::new(flags + 1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(*bit), *bit)?;
            SeccompRule::new(vec![creates, set_id])
        };
        SET_ID.iter().map(rule).collect::<Result<Vec<_>, _>>()
    };
    rules.insert(libc::SYS_fchmod, set_id(1)?);
    rules.insert(libc::SYS_fchmodat, set_id(2)?);
    // fchmodat2, since 6.6; the same number everywhere.
    rules.insert(452, set_id(2)?);
    rules.insert(libc::SYS_mknodat, set_id(2)?);
    rules.insert(libc::SYS_openat, made(2)?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.insert(libc::SYS_chmod, set_id(1)?);
        rules.insert(libc::SYS_creat, set_id(1)?);
        rules.insert(libc::SYS_mknod, set_id(1)?);
        rules.insert(libc::SYS_open, made(1)?);
    }
    Ok(())
}

/// Filters sockets. With a network of its own a command may talk to itself. Without, it could reach the whole network and, by sockets that lie
/// in the file system, services of the machine: then there are no sockets but pairs.
fn sockets(net: Network) -> Result<Rules, BackendError> {
    let differs =
        |argument, value: i32| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value as u64);
    let is =
        |argument, value: i32| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value as u64);
    let mut rules = Rules::new();
    if net == Network::Hosts {
        rules.insert(libc::SYS_socket, Vec::new());
        // A pair of these takes other addresses later.
        let kind =
            SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(0xf), libc::SOCK_DGRAM as u64)?;
        let pairs = vec![SeccompRule::new(vec![differs(0, libc::AF_UNIX)?])?, SeccompRule::new(vec![kind])?];
        rules.insert(libc::SYS_socketpair, pairs);
        return Ok(rules);
    }
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let other = families.iter().map(|family| differs(0, *family)).collect::<Result<Vec<_>, _>>()?;
    let netlink = vec![is(0, libc::AF_NETLINK)?, differs(2, libc::NETLINK_ROUTE)?];
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(other)?, SeccompRule::new(netlink)?]);
    Ok(rules)
}

fn one(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_looks_at_the_number_where_the_guard_against_x32_expects_it() {
        for landlock in [None, Some(1), Some(9)] {
            for program in programs(landlock).unwrap() {
                // BPF_LD | BPF_W | BPF_ABS of offset 0, which is the number.
                assert_eq!((program[NUMBER_LOADED].code, program[NUMBER_LOADED].k), (0x20, 0));
                assert!(!cfg!(target_arch = "x86_64") || program[NUMBER_LOADED + 1].k == X32);
                // The kernel's limit.
                assert!(program.len() < 4096, "{}", program.len());
            }
        }
    }
}
