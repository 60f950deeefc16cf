//! The messages of the bridge protocol (PROTOCOL section 2), as MessagePack maps.

use crate::scene::SceneHead;
use serde::{Deserialize, Serialize};

pub(crate) const PROTOCOL: u16 = 2;
/// The bounds of PROTOCOL section 2.
pub(crate) const MAX_FRAMES: usize = 16;
pub(crate) const MAX_HEAD: usize = 64 << 10;
pub(crate) const MAX_RECORDS: usize = 65_536;

/// Frame 0. The order of the fields is the order on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum Message {
    Hello {
        id: u64,
        protocol: u16,
        token: String,
        role: String,
        instance: String,
        pid: u32,
        version: String,
        host: String,
    },
    Welcome {
        id: u64,
        protocol: u16,
        version: String,
        pid: u32,
        checkpoint: String,
        heartbeat_ms: u32,
    },
    Timeline {
        id: u64,
        epoch: u32,
        fd: u32,
        bytes: u64,
        rate: u32,
    },
    Automation {
        first: u64,
        count: u32,
    },
    State {
        id: u64,
        instance: String,
        attachments: Vec<String>,
    },
    Free {
        count: u32,
    },
    Watch {
        id: u64,
        instance: String,
        on: bool,
    },
    Act {
        id: u64,
        instance: String,
        verb: String,
        attachments: Vec<String>,
    },
    Ping {
        time: u64,
    },
    Bye {},
    Accepted {
        id: u64,
    },
    Applied {
        id: u64,
        version: u64,
        /// What came of an act, for people.
        #[serde(default)]
        text: String,
    },
    Failed {
        id: u64,
        code: String,
        text: String,
        fix: String,
    },
    Pass {
        pass: u32,
        epoch: u32,
        start: i64,
        end: i64,
        wet: bool,
        code: String,
    },
    Publish {
        epoch: u32,
        pass: u32,
        version: u64,
        count: u32,
    },
    Captured {
        count: u64,
    },
    Document {
        version: u64,
        attachments: Vec<String>,
        /// Parameters that somebody else set since the last one.
        #[serde(default)]
        values: Vec<String>,
    },
    Health {
        state: String,
        code: String,
        text: String,
        fix: String,
        late_frames: u32,
    },
    Scene(SceneHead),
    Pong {
        time: u64,
    },
}

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Strings and integers into memory cannot fail; an empty frame would be refused as `bad_message`.
        rmp_serde::to_vec_named(self).unwrap_or_default()
    }

    /// # Errors
    /// When the bytes are over the bound, no such map, of an unknown name, or without a key.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_HEAD {
            return Err(format!("frame 0 is {} bytes, at most {MAX_HEAD} are read", bytes.len()));
        }
        rmp_serde::from_slice(bytes).map_err(|error| format!("frame 0: {error}"))
    }
}

/// One record of a `publish` frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub chunk: i64,
    pub slot: u32,
    pub generation: u32,
}

impl Published {
    /// # Errors
    /// When the frame is not `count` records of 16 bytes.
    pub(crate) fn decode_all(bytes: &[u8], count: u32) -> Result<Vec<Self>, String> {
        let count = count as usize;
        if count > MAX_RECORDS || bytes.len() != count * 16 {
            return Err(format!("publish: {} bytes for {count} records", bytes.len()));
        }
        Ok(bytes.chunks_exact(16).map(Self::decode).collect())
    }

    fn decode(bytes: &[u8]) -> Self {
        let word = |at: usize| bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        let high = word(8);
        Self { chunk: word(0) as i64, slot: high as u32, generation: (high >> 32) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn noise_is_refused_or_decoded_but_never_panics(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::decode(&noise);
            let _ = Published::decode_all(&noise, noise.len() as u32 / 16);
        }

        #[test]
        fn published_records_are_little_endian(chunk: i64, slot: u32, generation: u32) {
            let mut bytes = chunk.to_le_bytes().to_vec();
            bytes.extend(slot.to_le_bytes());
            bytes.extend(generation.to_le_bytes());
            prop_assert_eq!(Published::decode_all(&bytes, 1).unwrap(), [Published { chunk, slot, generation }]);
            prop_assert!(Published::decode_all(&bytes, 2).is_err());
        }
    }

    #[test]
    fn the_name_is_the_first_key() {
        let bytes = Message::Ping { time: 1 }.encode();
        assert_eq!(bytes, b"\x82\xa1t\xa4ping\xa4time\x01");
        assert_eq!(Message::Bye {}.encode(), b"\x81\xa1t\xa3bye");
    }

    #[test]
    fn a_missing_key_is_an_error_and_an_unknown_one_is_ignored() {
        assert!(Message::decode(b"\x81\xa1t\xa4ping").is_err());
        assert_eq!(Message::decode(b"\x83\xa1t\xa4pong\xa1x\xc0\xa4time\x01"), Ok(Message::Pong { time: 1 }));
    }
}
