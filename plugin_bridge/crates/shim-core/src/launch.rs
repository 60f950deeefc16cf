//! Starting the sidecar: one attempt at a time per process, with back-off, and not for ever.

use crate::paths;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::{fs::DirBuilderExt, fs::OpenOptionsExt, process::CommandExt},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Starts in a row that may end badly before only one a minute is tried.
const LIMIT: u32 = 5;
const RETRY: Duration = Duration::from_secs(60);
/// A sidecar that served this long was well; its end does not count towards the limit. Not counted from its start,
/// because one that fails at the end of its imports has lived that long too.
const STABLE: Duration = Duration::from_secs(10);
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// After a start that found another sidecar, which has no run file because it still starts or already ends: both take
/// seconds, and each start in vain costs a third of one of a core.
const OCCUPIED: Duration = Duration::from_secs(1);
const MAX_LAUNCH_FILE: u64 = 64 << 10;
const MAX_LOG: u64 = 4 << 20;

/// The launch file: what `demon plugin install` wrote.
#[derive(Debug, Deserialize)]
struct LaunchFile {
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// What came of asking for a sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Launch {
    /// A child was started now.
    Started(u32),
    /// A child lives, or the next attempt is not due.
    Pending,
    /// It cannot be started; why, and what to do.
    Impossible(String),
    /// It ended too often; what to do.
    Exhausted(String),
}

#[derive(Debug)]
struct Launcher {
    child: Option<u32>,
    serving: Option<Instant>,
    due: Option<Instant>,
    ended_badly: u32,
}

static LAUNCHER: Mutex<Launcher> = Mutex::new(Launcher { child: None, serving: None, due: None, ended_badly: 0 });

/// Starts the sidecar unless one is on its way.
pub(crate) fn request() -> Launch {
    let file = match read() {
        Ok(file) => file,
        Err(text) => return Launch::Impossible(text),
    };
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    if launcher.child.is_some() {
        return Launch::Pending;
    }
    if launcher.due.is_some_and(|due| due > Instant::now()) {
        return if launcher.ended_badly >= LIMIT { Launch::Exhausted(exhausted()) } else { Launch::Pending };
    }
    match spawn(&file) {
        Ok(child) => launcher.watch(child),
        Err(error) => {
            launcher.ended(false);
            Launch::Impossible(format!(
                "{} could not be started ({error}): run `demon plugin install`",
                file.command[0]
            ))
        }
    }
}

/// A sidecar welcomed an instance of this process.
pub(crate) fn serves() {
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    launcher.serving = launcher.serving.or(Some(Instant::now()));
}

fn exhausted() -> String {
    format!("the sidecar ended {LIMIT} times in a row: run `demon doctor` and see sidecar.log")
}

impl Launcher {
    fn watch(&mut self, mut child: Child) -> Launch {
        let pid = child.id();
        (self.child, self.serving) = (Some(pid), None);
        let reaper = std::thread::Builder::new().name("demon-reaper".into()).spawn(move || {
            let well = child.wait().is_ok_and(|status| status.success());
            LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner).ended(well);
        });
        if reaper.is_err() {
            // Nobody would notice its end; another process's instance, or the next start, finds its run file.
            self.child = None;
        }
        Launch::Started(pid)
    }

    /// `well`: with exit code 0, as a second sidecar does that found another one running.
    fn ended(&mut self, well: bool) {
        let was_stable = self.serving.take().is_some_and(|since| since.elapsed() >= STABLE);
        self.child = None;
        self.ended_badly = if well || was_stable { 0 } else { self.ended_badly + 1 };
        let delay = match self.ended_badly {
            0 if well => OCCUPIED,
            LIMIT.. => RETRY,
            ended_badly => FIRST_DELAY * 2u32.pow(ended_badly),
        };
        self.due = Some(Instant::now() + delay);
    }
}

fn read() -> Result<LaunchFile, String> {
    let path = paths::launch_file().ok_or("there is no home folder: set DEMON_LAUNCH_FILE")?;
    if !path.exists() {
        return Err(format!("{} is missing: run `demon plugin install`", path.display()));
    }
    let bytes = paths::read_own(&path, MAX_LAUNCH_FILE)?;
    let advice = "run `demon plugin install`";
    let file: LaunchFile =
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}: {advice}", path.display()))?;
    if file.command.is_empty() {
        return Err(format!("{}: `command` is empty: {advice}", path.display()));
    }
    Ok(file)
}

fn spawn(file: &LaunchFile) -> io::Result<Child> {
    let log = open_log()?;
    let mut command = Command::new(&file.command[0]);
    command.args(&file.command[1..]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir("/");
    // A host's private libraries and interpreter settings are not the sidecar's.
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"] {
        command.env_remove(name);
    }
    command.envs(&file.environment);
    // SAFETY: both calls are async-signal-safe system calls that touch no memory of this process.
    unsafe { command.pre_exec(detach) };
    command.spawn()
}

/// Between fork and exec: a session of its own, so that the host's terminal and signals do not reach it, and none of
/// the host's files, which would otherwise stay open as long as the sidecar lives.
fn detach() -> io::Result<()> {
    rustix::process::setsid()?;
    const FIRST: libc::c_uint = 3;
    // SAFETY: marks descriptors close-on-exec; no pointers. An old kernel refuses, which leaves them as they were.
    unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}

fn open_log() -> io::Result<File> {
    let folder = make_run_directory()?;
    let path = folder.join("sidecar.log");
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_LOG) {
        std::fs::rename(&path, folder.join("sidecar.log.1"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// The run directory, made for this user alone where it is missing.
pub(crate) fn make_run_directory() -> io::Result<std::path::PathBuf> {
    let folder = paths::run_directory().ok_or(io::ErrorKind::NotFound)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}
