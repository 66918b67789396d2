//! PostgreSQL in a folder of its own on a free port, for as long as somebody holds it. Tests and benches start the same.
//!
//! What surprises: it refuses to run as root, and then runs as its own user, who needs a folder that is open to all.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use tempfile::TempDir;

/// A running server whose superuser is `postgres` and needs no password.
pub(crate) struct PostgresServer {
    pub(crate) port: u16,
    control: PathBuf,
    data: PathBuf,
    _folder: TempDir,
}

impl PostgresServer {
    /// Makes a database cluster with arguments for `initdb`, and starts it with settings as its command line has them; nothing where it is
    /// not installed or does not start.
    pub(crate) fn start(init: &[&str], settings: &str) -> Option<PostgresServer> {
        let (programs, folder) = (programs()?, TempDir::new().ok()?);
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).ok()?.port();
        let data = folder.path().join("data");
        let _ = Command::new("chmod").arg("777").arg(folder.path()).status();
        let mut made = as_postgres(&programs.join("initdb"));
        made.args(["-A", "trust", "-U", "postgres"]).args(init).arg("-D").arg(&data);
        made.status().ok().filter(ExitStatus::success)?;
        let settings = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {settings}");
        let control = programs.join("pg_ctl");
        let started = as_postgres(&control).arg("-D").arg(&data).args(["-w", "-o", &settings, "start"]).status();
        started.ok().filter(ExitStatus::success)?;
        Some(PostgresServer { port, control, data, _folder: folder })
    }

    /// The number of its first process, of which the others are children.
    #[allow(dead_code, reason = "benches measure it, tests do not")]
    pub(crate) fn process(&self) -> u32 {
        let lines = fs::read_to_string(self.data.join("postmaster.pid")).expect("it writes its number down");
        lines.lines().next().and_then(|line| line.parse().ok()).expect("the number stands first")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let _ = as_postgres(&self.control).arg("-D").arg(&self.data).args(["-m", "immediate", "stop"]).status();
    }
}

/// The folder of PostgreSQL's own programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions.map(|version| version.path().join("bin")).filter(|path| path.join("initdb").exists()).max()
}

/// A command as the user that PostgreSQL may run as.
fn as_postgres(program: &Path) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    let mut command = Command::new(if is_root { Path::new("runuser") } else { program });
    if is_root {
        command.args(["-u", "postgres", "--"]).arg(program);
    }
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    command
}
