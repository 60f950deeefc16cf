//! The rings between the audio thread and the link: records out, answers in.

use crate::record::Record;

/// 16 384 records are 0.5 MiB and, at one record per sample, 340 ms at 48 kHz: more than the link ever sleeps.
const RECORDS: usize = 16_384;
/// One answer per pass; a loop of one block a pass makes the most of them.
const ANSWERS: usize = 256;

/// `Answer::pass` of a standby: where a live pass that begins now is wet.
pub(crate) const STANDBY: u32 = 0;

/// What the sidecar said about a pass (message `pass`). Song samples at the host's rate, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub pass: u32,
    pub start: i64,
    pub end: i64,
    pub wet: bool,
}

/// The audio thread's ends.
pub(crate) struct AudioEnds {
    pub records: rtrb::Producer<Record>,
    pub answers: rtrb::Consumer<Answer>,
}

/// The link's ends.
pub(crate) struct LinkEnds {
    pub records: rtrb::Consumer<Record>,
    pub answers: rtrb::Producer<Answer>,
}

pub(crate) fn rings() -> (AudioEnds, LinkEnds) {
    let (record_producer, record_consumer) = rtrb::RingBuffer::new(RECORDS);
    let (answer_producer, answer_consumer) = rtrb::RingBuffer::new(ANSWERS);
    (
        AudioEnds { records: record_producer, answers: answer_consumer },
        LinkEnds { records: record_consumer, answers: answer_producer },
    )
}
