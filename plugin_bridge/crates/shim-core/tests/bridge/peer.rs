//! What a scripted sidecar answers to its one plugin, and what it writes into the shared file.

use crate::sidecar::{Script, Told};
use memmap2::{MmapOptions, MmapRaw};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs,
    sync::{Arc, mpsc::Sender},
};
use zeromq::ZmqMessage;

const CHUNK: usize = 2048;

/// The sidecar's side of one connection.
pub struct Peer {
    script: Script,
    tell: Sender<Told>,
    identity: bytes::Bytes,
    map: Option<Arc<MmapRaw>>,
    free: Vec<u32>,
    pass: u32,
    blocks: usize,
    /// The song samples of this pass that came in.
    played: (i64, i64),
    epoch: u32,
    /// Chunks of this pass; each is published once.
    published: HashSet<i64>,
}

impl Peer {
    pub fn new(script: Script, tell: Sender<Told>) -> Self {
        Self {
            script,
            tell,
            identity: bytes::Bytes::new(),
            map: None,
            free: vec![],
            pass: 0,
            blocks: 0,
            played: (0, 0),
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

    pub fn document(&self, document: &Value) -> ZmqMessage {
        let head = json!({"t": "document", "version": 1, "attachments": [], "values": ["denoise"]});
        self.message(head, vec![serde_json::to_vec(document).unwrap()])
    }

    pub fn hear(&mut self, message: ZmqMessage) -> Vec<ZmqMessage> {
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
                let rest = self.finish();
                (self.pass, self.blocks, self.played) = (record.2, 0, (song, song));
                self.published.clear();
                let (start, end) = self.script.region.unwrap_or_default();
                let wet = self.script.region.is_some();
                let head = json!({"t": "pass", "pass": self.pass, "epoch": self.epoch, "start": start, "end": end, "wet": wet, "code": ""});
                rest.into_iter().chain([self.message(head, vec![])]).collect()
            }
            4 => {
                (self.blocks, self.played.1) = (self.blocks + 1, song + i64::from(record.5));
                if self.blocks >= self.script.publish_after && !self.script.renders_late {
                    self.publish(song, song + i64::from(record.5))
                } else {
                    vec![]
                }
            }
            5 => vec![self.capture(value as u64)],
            6 => self.finish(),
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

    /// Renders what came in of a pass that is over.
    fn finish(&mut self) -> Vec<ZmqMessage> {
        let (from, to) = self.played;
        if self.script.renders_late && from < to { self.publish(from, to) } else { vec![] }
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
        let level = self.script.level * if self.script.renders_late { self.pass as f32 } else { 1.0 };
        // SAFETY: in bounds and aligned, see `at`; the slot is this side's until it is named.
        unsafe {
            self.at::<i64>(header).write_volatile(chunk);
            for i in 0..2 * CHUNK as u64 {
                self.at::<f32>(samples + 4 * i).write_volatile(level);
            }
        }
    }
}
