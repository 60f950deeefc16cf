//! The run file: the one sidecar that lives in this run directory.

use crate::paths;
use serde::Deserialize;

/// More than the five fields can take.
const MAX_BYTES: u64 = 4096;

/// A sidecar that said where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct RunFile {
    pub protocol: u16,
    pub pid: u32,
    pub port: u16,
    pub token: String,
}

/// The sidecar named by the run file, if that process lives and it, not another user's, listens on the port.
pub(crate) fn live() -> Option<RunFile> {
    let path = paths::run_directory()?.join("sidecar.json");
    let run: RunFile = serde_json::from_slice(&paths::read_own(&path, MAX_BYTES).ok()?).ok()?;
    (is_alive(run.pid) && is_ours(run.port)).then_some(run)
}

/// Whether a process with this number exists.
pub(crate) fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Whether a process of this user listens on the loopback port: a token must not go to whoever took over a dead
/// sidecar's port, and what comes from there is trusted with this process's memory.
fn is_ours(port: u16) -> bool {
    let uid = rustix::process::geteuid().as_raw();
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    table.lines().skip(1).any(|line| listens(line, port) == Some(uid))
}

/// The owner of a listening socket on `127.0.0.1:port`, from one line of /proc/net/tcp (proc(5)).
fn listens(line: &str, port: u16) -> Option<u32> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_ascii_whitespace();
    let (address, state) = (fields.nth(1)?, fields.nth(1)?);
    let loopback = format!("{:08X}:{port:04X}", u32::from_ne_bytes([127, 0, 0, 1]));
    (address == loopback && state == LISTEN).then(|| fields.nth(3)?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_listens_is_found_with_its_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_ours(port));
        drop(listener);
        assert!(!is_ours(port));
    }

    #[test]
    fn this_process_is_alive_and_an_impossible_one_is_not() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(0));
        assert!(!is_alive(u32::MAX));
    }
}
