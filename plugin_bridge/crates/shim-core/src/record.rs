//! Automation records (PROTOCOL section 3): what the audio thread tells the sidecar.

/// Bytes of one record on the wire.
pub(crate) const BYTES: usize = 32;

/// PASS and BLOCK: the block is offline.
pub(crate) const OFFLINE: u32 = 1;
/// PASS: the song clock is the plugin's own.
pub(crate) const FREE_RUN: u32 = 2;
/// CAPTURE: of the side-chain.
pub(crate) const SIDE_CHAIN: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    Pass = 1,
    Point = 2,
    Ramp = 3,
    Block = 4,
    Capture = 5,
    Stop = 6,
    Tempo = 7,
    Lost = 8,
    Place = 9,
    Metre = 10,
}

/// Why a pass begins (`aux` of PASS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reason {
    Play = 0,
    Locate = 1,
    Loop = 2,
    Resync = 3,
}

/// What becomes of the rest of a pass (`aux` of STOP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum End {
    /// With a look-ahead it is still to be heard.
    Heard = 0,
    Forgotten = 1,
}

/// One record; fields as in PROTOCOL section 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Record {
    pub kind: Kind,
    pub parameter: u16,
    pub pass: u32,
    pub song: i64,
    pub value: f64,
    pub aux: u32,
    pub flags: u32,
}

impl Record {
    pub(crate) fn new(kind: Kind, pass: u32, song: i64) -> Self {
        Self { kind, parameter: 0, pass, song, value: 0.0, aux: 0, flags: 0 }
    }

    /// POINT or RAMP of a parameter id.
    pub(crate) fn breakpoint(ramp: bool, parameter: u32, pass: u32, song: i64, value: f64) -> Self {
        let kind = if ramp { Kind::Ramp } else { Kind::Point };
        Self { parameter: parameter as u16, value, ..Self::new(kind, pass, song) }
    }

    /// Little endian, in the order of the fields.
    pub(crate) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0..2].copy_from_slice(&(self.kind as u16).to_le_bytes());
        bytes[2..4].copy_from_slice(&self.parameter.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.pass.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.song.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.value.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.aux.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.flags.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
        bytes[at..at + N].try_into().unwrap()
    }

    proptest! {
        #[test]
        fn every_field_is_little_endian_at_its_offset(
            parameter: u16, pass: u32, song: i64, value: f64, aux: u32, flags: u32,
        ) {
            let bytes = Record { kind: Kind::Capture, parameter, pass, song, value, aux, flags }.to_bytes();
            prop_assert_eq!(u16::from_le_bytes(field(&bytes, 0)), 5);
            prop_assert_eq!(u16::from_le_bytes(field(&bytes, 2)), parameter);
            prop_assert_eq!(u32::from_le_bytes(field(&bytes, 4)), pass);
            prop_assert_eq!(i64::from_le_bytes(field(&bytes, 8)), song);
            prop_assert_eq!(u64::from_le_bytes(field(&bytes, 16)), value.to_bits());
            prop_assert_eq!(u32::from_le_bytes(field(&bytes, 24)), aux);
            prop_assert_eq!(u32::from_le_bytes(field(&bytes, 28)), flags);
        }
    }
}
