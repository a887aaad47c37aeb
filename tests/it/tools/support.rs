//! How is a tool called in a test? Through the registry, in a project of its own.
#![expect(clippy::needless_pass_by_value, reason = "calls read best with `json!` in place")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimi::base::pending::Pending;
use mimi::edit::writer::Writer;
use mimi::exec::run::Runner;
use mimi::protocol::tool::{Intent, ToolReport};
use mimi::tools::ToolContext;
use mimi::tools::bad_call::BadCall;
use mimi::tools::registry::Registry;
use mimi::workspace::Workspace;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A project in a temporary folder, and the tools.
pub struct Bench {
    folder: tempfile::TempDir,
    pub registry: Registry,
    pub cx: ToolContext,
}

impl Bench {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (project, spill_dir) = (folder.path().join("project"), folder.path().join("spill"));
        std::fs::create_dir(&project).unwrap();
        std::fs::create_dir(&spill_dir).unwrap();
        let cx = ToolContext {
            workspace: Arc::new(Workspace::open(&project).unwrap()),
            writer: Writer::new(Pending::new(folder.path().join("pending"))),
            runner: Runner::new(PathBuf::from("/nonexistent"), Vec::new()),
            spill_dir,
            cache: folder.path().join("cache"),
            embedder: None,
            cancel: CancellationToken::new(),
            progress: tokio::sync::mpsc::channel(1).0,
            so_far: mimi::exec::so_far::SoFar::default(),
            limits: mimi::tools::Limits::default(),
            may_hold_secrets: mimi::policy::path::is_secret,
        };
        let bench = Self { folder, registry: Registry::new(), cx };
        for (name, text) in files {
            bench.write(name, text);
        }
        bench
    }

    pub fn root(&self) -> &Path {
        self.cx.workspace.root()
    }

    /// A folder outside the project.
    pub fn outside(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.root().join(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn fifo(&self, name: &str) {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, self.root().join(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }

    pub fn intent(&self, tool: &str, arguments: Value) -> Result<Intent, BadCall> {
        self.registry.get(tool).unwrap().intent(&self.cx, &arguments)
    }

    pub fn call(&self, tool: &str, arguments: Value) -> ToolReport {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.registry.get(tool).unwrap().run(&self.cx, arguments)).unwrap()
    }

    /// Calls a tool that must succeed and returns its words.
    pub fn ok(&self, tool: &str, arguments: Value) -> String {
        let report = self.call(tool, arguments.clone());
        assert!(report.outcome.is_ok(), "{tool} {arguments}: {}", report.outcome.text());
        report.outcome.text().to_owned()
    }

    /// Calls a tool that must fail and returns its words.
    pub fn failed(&self, tool: &str, arguments: Value) -> String {
        let report = self.call(tool, arguments.clone());
        assert!(!report.outcome.is_ok(), "{tool} {arguments}: {}", report.outcome.text());
        report.outcome.text().to_owned()
    }

    pub fn read(&self, path: &str) -> String {
        self.ok("read_file", json!({ "path": path }))
    }
}
