//! What does the kernel say a process takes?

use std::time::Duration;

/// Of all Linux systems (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;

/// A figure the kernel keeps of a process.
#[derive(Clone, Copy)]
pub enum Memory {
    /// What it holds now, shared pages included.
    Now,
    /// The most it ever held.
    Peak,
    /// What it holds now, each shared page divided among those who share it.
    Proportional,
}

/// Reads a process's memory in bytes; none once it has ended.
pub fn memory(pid: u32, which: Memory) -> Option<u64> {
    let (file, name) = match which {
        Memory::Now => ("status", "VmRSS:"),
        Memory::Peak => ("status", "VmHWM:"),
        Memory::Proportional => ("smaps_rollup", "Pss:"),
    };
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    // The kernel always says kB and means 1024 bytes.
    field(&text, name).map(|kib| kib * 1024)
}

/// Sets the peak of this process's own memory back to what it holds now, so that figures measured before do not count.
pub fn forget_peak() -> std::io::Result<()> {
    // `5` stands for the peak (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5")
}

/// Reads the processor time of all processes this one has started and waited for, and of all they have waited for.
///
/// The difference of two readings is right to one step of the kernel's 10 ms, however short each of many runs was.
pub fn cpu_of_ended() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // See proc_pid_stat(5): cutime and cstime are the fields 16 and 17, of which two stand before the `)`.
    let fields: Vec<u64> =
        stat.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    Some(Duration::from_millis(fields.get(13..15)?.iter().sum::<u64>() * 1000 / TICKS_PER_SECOND))
}

/// Reads the processor time of this process itself, all threads together; zero where the kernel does not say.
pub fn own_cpu() -> Duration {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return Duration::ZERO };
    // See proc_pid_stat(5): utime and stime are the fields 14 and 15; threads that ended count too.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// Reads the processor time the threads of a process have taken, those that ended left out.
pub fn cpu(pid: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    // The first field is nanoseconds on a processor (proc_pid_schedstat(5)).
    let texts = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    Some(Duration::from_nanos(texts.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()))
}

/// Counts how often the threads of a process have gone to sleep, which is how often something woke them.
pub fn sleeps(pid: u32) -> u64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let texts = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("status")).ok());
    texts.filter_map(|text| field(&text, "voluntary_ctxt_switches:")).sum()
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find(|line| line.starts_with(name))?.split_whitespace().nth(1)?.parse().ok()
}

/// Shows bytes as the tables do.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
