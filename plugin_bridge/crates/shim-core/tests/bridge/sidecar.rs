//! A sidecar that does what a test says: real sockets, the real shared file, its own encoding of the protocol.

use crate::peer::Peer;
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use zeromq::{RouterSocket, Socket, SocketRecv, SocketSend};

/// One automation record: kind, parameter, pass, song, value, aux, flags.
pub type Record = (u16, u16, u32, i64, f64, u32, u32);

/// How the sidecar behaves.
#[derive(Clone)]
pub struct Script {
    /// The region that it answers to a PASS; none: dry.
    pub region: Option<(i64, i64)>,
    /// Publishes what a PASS makes audible once this many BLOCKs came.
    pub publish_after: usize,
    /// Answers `hello` with this failure code.
    pub refuses: Option<&'static str>,
    /// Reads, and never says anything after `applied`.
    pub is_silent: bool,
    /// The level of everything it renders.
    pub level: f32,
    /// Publishes a pass when it is over, and each at as many times the level as its number says.
    pub renders_late: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            region: Some((0, 1 << 20)),
            publish_after: 1,
            refuses: None,
            is_silent: false,
            level: 0.5,
            renders_late: false,
        }
    }
}

/// What the sidecar was told.
#[derive(Clone, Debug)]
pub enum Told {
    Message(Value, Vec<Vec<u8>>),
    Record(Record),
    Captured(i64, Vec<f32>),
}

pub struct Sidecar {
    pub told: Receiver<Told>,
    /// Documents to send: JSON and attachments by hash.
    say: tokio::sync::mpsc::UnboundedSender<Option<Value>>,
    thread: Option<JoinHandle<()>>,
}

/// The folder of the run file. Holds the lock, because the environment is the process's.
pub struct Folder(#[allow(dead_code, reason = "held until the test ends")] MutexGuard<'static, ()>);

static TURN: Mutex<()> = Mutex::new(());
static PATH: OnceLock<PathBuf> = OnceLock::new();

fn path() -> &'static PathBuf {
    PATH.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("demon-bridge-test-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        // SAFETY: once, under `TURN`, before any thread of this test binary reads the environment.
        unsafe {
            std::env::set_var("DEMON_RUN_DIR", &path);
            std::env::set_var("DEMON_LAUNCH_FILE", path.join("no-launch.json"));
            std::env::set_var("DEMON_OFFLINE_CAP_MS", "1500");
        }
        path
    })
}

pub fn folder() -> Folder {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = fs::remove_file(path().join("sidecar.json"));
    Folder(turn)
}

impl Sidecar {
    pub fn start(_folder: &Folder, script: Script) -> Self {
        let (tell, told) = channel();
        let (say, mut to_say) = tokio::sync::mpsc::unbounded_channel();
        let (ready, is_ready) = channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut socket = RouterSocket::new();
                let endpoint = socket.bind("tcp://127.0.0.1:0").await.unwrap().to_string();
                let port: u16 = endpoint.rsplit(':').next().unwrap().parse().unwrap();
                let run = json!({"protocol": 2, "pid": std::process::id(), "port": port, "token": "t", "version": "0"});
                fs::write(path().join("sidecar.json"), run.to_string()).unwrap();
                ready.send(()).unwrap();
                let mut peer = Peer::new(script, tell);
                loop {
                    tokio::select! {
                        message = socket.recv() => {
                            // A plugin that is gone by now is not the sidecar's failure.
                            for answer in peer.hear(message.unwrap()) { let _ = socket.send(answer).await; }
                        }
                        document = to_say.recv() => match document.flatten() {
                            Some(document) => socket.send(peer.document(&document)).await.unwrap(),
                            None => return,
                        },
                    }
                }
            });
        });
        is_ready.recv().unwrap();
        Self { told, say, thread: Some(thread) }
    }

    pub fn document(&self, document: Value) {
        self.say.send(Some(document)).unwrap();
    }

    /// Waits for something that `pick` takes.
    pub fn wait<T>(&self, pick: impl Fn(Told) -> Option<T>) -> T {
        loop {
            let told = self.told.recv_timeout(Duration::from_secs(20)).expect("the sidecar was not told");
            if let Some(found) = pick(told) {
                return found;
            }
        }
    }

    pub fn wait_message(&self, name: &str) -> (Value, Vec<Vec<u8>>) {
        self.wait(|told| match told {
            Told::Message(head, frames) if head["t"] == name => Some((head, frames)),
            _ => None,
        })
    }

    pub fn wait_record(&self, kind: u16) -> Record {
        self.wait(|told| match told {
            Told::Record(record) if record.0 == kind => Some(record),
            _ => None,
        })
    }
}

impl Drop for Sidecar {
    /// As abruptly as a killed process: the connection closes, the run file stays until the next one.
    fn drop(&mut self) {
        let _ = self.say.send(None);
        let _ = fs::remove_file(path().join("sidecar.json"));
        self.thread.take().unwrap().join().unwrap();
    }
}
