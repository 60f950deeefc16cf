//! A sidecar that does what a test says: real sockets, the real shared file, its own encoding of the protocol.

use memmap2::{MmapOptions, MmapRaw};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use zeromq::{RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage};

const CHUNK: usize = 2048;

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
}

impl Default for Script {
    fn default() -> Self {
        Self { region: Some((0, 1 << 20)), publish_after: 1, refuses: None, is_silent: false, level: 0.5 }
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

struct Peer {
    script: Script,
    tell: std::sync::mpsc::Sender<Told>,
    identity: bytes::Bytes,
    map: Option<Arc<MmapRaw>>,
    free: Vec<u32>,
    pass: u32,
    blocks: usize,
    epoch: u32,
    /// Chunks of this pass; each is published once.
    published: HashSet<i64>,
}

impl Peer {
    fn new(script: Script, tell: std::sync::mpsc::Sender<Told>) -> Self {
        Self {
            script,
            tell,
            identity: bytes::Bytes::new(),
            map: None,
            free: vec![],
            pass: 0,
            blocks: 0,
            epoch: 0,
            published: HashSet::new(),
        }
    }

    fn message(&self, head: Value, frames: Vec<Vec<u8>>) -> ZmqMessage {
        let mut message = ZmqMessage::from(self.identity.clone());
        message.push_back(rmp_serde::to_vec(&head).unwrap().into());
        frames.into_iter().for_each(|frame| message.push_back(frame.into()));
        message
    }

    fn document(&self, document: &Value) -> ZmqMessage {
        let head = json!({"t": "document", "version": 1, "attachments": []});
        self.message(head, vec![serde_json::to_vec(document).unwrap()])
    }

    fn hear(&mut self, message: ZmqMessage) -> Vec<ZmqMessage> {
        let mut frames: Vec<Vec<u8>> = message.into_vec().iter().map(|frame| frame.to_vec()).collect();
        self.identity = frames.remove(0).into();
        let head: Value = rmp_serde::from_slice(&frames.remove(0)).unwrap();
        let _ = self.tell.send(Told::Message(head.clone(), frames.clone()));
        let id = head["id"].clone();
        let applied = |peer: &Self| {
            let accepted = peer.message(json!({"t": "accepted", "id": id}), vec![]);
            vec![accepted, peer.message(json!({"t": "applied", "id": id, "version": 1}), vec![])]
        };
        match head["t"].as_str().unwrap() {
            "hello" => vec![self.welcome(&head)],
            "timeline" => {
                self.open(&head);
                applied(self)
            }
            // What a test wants refused or left open says so itself.
            "state" | "act" if format!("{head}{}", String::from_utf8_lossy(&frames[0])).contains("refuse this") => {
                vec![
                    self.message(
                        json!({"t": "failed", "id": id, "code": "bad", "text": "No.", "fix": "Leave."}),
                        vec![],
                    ),
                ]
            }
            "act" if head["verb"] == "wait" => vec![],
            "state" | "act" => applied(self),
            "watch" => {
                let scene = head["on"].as_bool().unwrap().then(|| self.scene());
                applied(self).into_iter().chain(scene).collect()
            }
            _ if self.script.is_silent => vec![],
            "ping" => vec![self.message(json!({"t": "pong", "time": head["time"]}), vec![])],
            "free" => {
                self.free.extend(frames[0].chunks_exact(4).map(|slot| u32::from_le_bytes(slot.try_into().unwrap())));
                vec![]
            }
            "automation" => frames[0].chunks_exact(32).flat_map(|bytes| self.record(bytes)).collect(),
            _ => vec![],
        }
    }

    /// Two frames with one lane.
    fn scene(&self) -> ZmqMessage {
        let head = json!({
            "t": "scene", "region_start": -1, "frames": 2, "playhead": 0, "tick_frames": 4, "ticks": 6.5, "sustained": 12.0,
            "lag": 0, "late": 0, "generation": 3, "device": "cpu", "backend": "compiled", "checkpoint": "tiny",
            "missing": [{"kind": "lora", "name": "bells", "fix": "Install it."}], "lanes": ["denoise"],
        });
        let lane: Vec<u8> = [0.25f32, 0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        self.message(head, vec![vec![255, 0], lane, vec![0, 1, 0x80, 0x7f], vec![0; 4]])
    }

    fn welcome(&self, hello: &Value) -> ZmqMessage {
        let id = &hello["id"];
        match self.script.refuses {
            Some(code) => self.message(json!({"t": "failed", "id": id, "code": code, "text": "No.", "fix": "Leave."}), vec![]),
            None => self.message(
                json!({"t": "welcome", "id": id, "protocol": 2, "version": "0", "pid": 1, "checkpoint": "", "heartbeat_ms": 250}),
                vec![],
            ),
        }
    }

    fn open(&mut self, timeline: &Value) {
        let file =
            fs::OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{}", timeline["fd"])).unwrap();
        let map = MmapOptions::new().len(timeline["bytes"].as_u64().unwrap() as usize).map_raw(&file).unwrap();
        self.map = Some(Arc::new(map));
        self.epoch = timeline["epoch"].as_u64().unwrap() as u32;
        let (entries, slots) = (self.word(0x20) >> 32, self.word(0x28) as u32);
        let named: Vec<u32> = (0..entries).map(|i| self.word(self.word(0x30) + 8 * i) as u32 & 0xf_ffff).collect();
        self.free = (0..slots).filter(|slot| !named.contains(&(slot + 1))).collect();
    }

    fn at<T>(&self, offset: u64) -> *mut T {
        // SAFETY: every offset comes from the header that the plugin wrote; the file is mapped as a whole.
        unsafe { self.map.as_ref().unwrap().as_mut_ptr().add(offset as usize).cast() }
    }

    fn word(&self, offset: u64) -> u64 {
        // SAFETY: in bounds and aligned, see `at`.
        unsafe { self.at::<u64>(offset).read_volatile() }
    }

    fn record(&mut self, bytes: &[u8]) -> Vec<ZmqMessage> {
        let int = |at: usize, size: usize| {
            bytes[at..at + size].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let (kind, song, value) = (int(0, 2) as u16, int(8, 8) as i64, f64::from_bits(int(16, 8)));
        let record = (kind, int(2, 2) as u16, int(4, 4) as u32, song, value, int(24, 4) as u32, int(28, 4) as u32);
        let _ = self.tell.send(Told::Record(record));
        match kind {
            1 => {
                (self.pass, self.blocks) = (record.2, 0);
                self.published.clear();
                let (start, end) = self.script.region.unwrap_or_default();
                let wet = self.script.region.is_some();
                let head = json!({"t": "pass", "pass": self.pass, "epoch": self.epoch, "start": start, "end": end, "wet": wet, "code": ""});
                vec![self.message(head, vec![])]
            }
            4 => {
                self.blocks += 1;
                if self.blocks >= self.script.publish_after {
                    self.publish(song, song + i64::from(record.5))
                } else {
                    vec![]
                }
            }
            5 => vec![self.capture(value as u64)],
            _ => vec![],
        }
    }

    fn capture(&self, number: u64) -> ZmqMessage {
        let record = self.word(0x48) + (number % 512) * 8256;
        assert_eq!(self.word(record), number + 1, "the record was overwritten before it was announced");
        let samples = self.word(record + 16) as u32 as u64;
        // SAFETY: in bounds and aligned, see `at`; the plugin keeps the record until it is acknowledged.
        let left = (0..samples).map(|i| unsafe { self.at::<f32>(record + 64 + 4 * i).read_volatile() }).collect();
        let _ = self.tell.send(Told::Captured(self.word(record + 8) as i64, left));
        self.message(json!({"t": "captured", "count": number + 1}), vec![])
    }

    /// Renders the chunks of a block, and the next one.
    fn publish(&mut self, from: i64, to: i64) -> Vec<ZmqMessage> {
        let Some((start, end)) = self.script.region else { return vec![] };
        let (low, high) = (from.max(start).div_euclid(CHUNK as i64), (to.min(end) - 1).div_euclid(CHUNK as i64) + 1);
        let mut records = Vec::new();
        for chunk in low..=high {
            if !self.published.insert(chunk) {
                continue;
            }
            let slot = self.free.remove(0);
            self.fill(slot, chunk);
            records.extend(chunk.to_le_bytes());
            records.extend(slot.to_le_bytes());
            records.extend(1u32.to_le_bytes());
        }
        let head =
            json!({"t": "publish", "epoch": self.epoch, "pass": self.pass, "version": 1, "count": records.len() / 16});
        vec![self.message(head, vec![records])]
    }

    fn fill(&self, slot: u32, chunk: i64) {
        let (header, samples) = (self.word(0x38) + u64::from(slot) * 64, self.word(0x40) + u64::from(slot) * 16_384);
        // SAFETY: in bounds and aligned, see `at`; the slot is this side's until it is named.
        unsafe {
            self.at::<i64>(header).write_volatile(chunk);
            for i in 0..2 * CHUNK as u64 {
                self.at::<f32>(samples + 4 * i).write_volatile(self.script.level);
            }
        }
    }
}
