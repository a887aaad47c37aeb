//! What does this machine say about itself that decides which sandbox can work?
//!
//! Only reads a few small files of the kernel. What follows from them is decided by pure functions, so that machines nobody
//! has at hand can be tested.

use std::path::Path;

/// Facts about the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `kernel.apparmor_restrict_unprivileged_userns`.
    pub(crate) apparmor: String,
    /// `kernel.unprivileged_userns_clone`, on Debian and its kin.
    pub(crate) userns_clone: String,
    /// `user.max_user_namespaces`.
    pub(crate) max_user_namespaces: String,
    /// Release of the kernel.
    pub(crate) release: String,
    /// Description of the kernel.
    pub(crate) version: String,
    /// Names this boot.
    pub(crate) boot: String,
    /// Names the user namespace we are in, which tells containers of one machine apart.
    pub(crate) namespace: String,
    /// Whether this is a container.
    pub(crate) is_container: bool,
    /// Whether this is a virtual machine.
    pub(crate) is_virtual: bool,
}

/// Files that container runtimes leave, and words in the control groups of process 1.
const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
const CONTAINER_WORDS: [&str; 6] = ["docker", "kubepods", "containerd", "libpod", "lxc", "garden"];

impl Facts {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let groups = text("/proc/1/cgroup");
        let namespace = std::fs::read_link("/proc/self/ns/user").unwrap_or_default();
        Self {
            apparmor: text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            userns_clone: text("/proc/sys/kernel/unprivileged_userns_clone"),
            max_user_namespaces: text("/proc/sys/user/max_user_namespaces"),
            release: text("/proc/sys/kernel/osrelease"),
            version: text("/proc/version"),
            boot: text("/proc/sys/kernel/random/boot_id"),
            namespace: namespace.display().to_string(),
            is_container: CONTAINER_FILES.iter().any(|path| Path::new(path).exists())
                || CONTAINER_WORDS.iter().any(|word| groups.contains(word)),
            is_virtual: text("/proc/cpuinfo")
                .lines()
                .any(|line| line.starts_with("flags") && line.contains(" hypervisor")),
        }
    }

    /// Returns the name of the row in `config/sandbox.yaml` that says why bubblewrap fails here.
    pub(crate) fn why_bwrap_fails(&self) -> &'static str {
        let is_wsl1 = self.release.contains("Microsoft") && !self.release.to_lowercase().contains("wsl2");
        let is_gvisor = self.version.contains("gVisor");
        let rows = [
            (is_wsl1, "wsl1"),
            (is_gvisor, "gvisor"),
            (self.userns_clone == "0", "userns_clone_off"),
            (self.max_user_namespaces == "0", "userns_limit"),
            (self.apparmor == "1", "apparmor"),
            (self.is_container, "container"),
        ];
        rows.iter().find(|row| row.0).map_or("bwrap_failed", |row| row.1)
    }

    /// Says whether something beyond mimi can be the boundary.
    pub(crate) fn is_bounded(&self) -> bool {
        self.is_container || self.is_virtual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_gets_the_reason_that_can_be_mended() {
        let with = |change: fn(&mut Facts)| {
            let mut facts = Facts { max_user_namespaces: "15000".to_owned(), ..Facts::default() };
            change(&mut facts);
            facts
        };
        let table: [(&str, Facts); 8] = [
            ("apparmor", with(|facts| facts.apparmor = "1".to_owned())),
            ("userns_clone_off", with(|facts| facts.userns_clone = "0".to_owned())),
            ("userns_limit", with(|facts| facts.max_user_namespaces = "0".to_owned())),
            ("wsl1", with(|facts| facts.release = "4.4.0-19041-Microsoft".to_owned())),
            ("bwrap_failed", with(|facts| facts.release = "5.15.90.1-microsoft-standard-WSL2".to_owned())),
            ("gvisor", with(|facts| facts.version = "Linux version 4.4.0 gVisor".to_owned())),
            ("container", with(|facts| facts.is_container = true)),
            ("bwrap_failed", with(|_| {})),
        ];
        for (name, facts) in table {
            assert_eq!(facts.why_bwrap_fails(), name, "{facts:?}");
            assert!(crate::exec::sandbox::table::Table::get().lacks.contains_key(name), "{name}");
        }
    }
}
