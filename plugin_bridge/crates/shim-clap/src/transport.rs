//! CLAP's transport as shim-core's block.

use clack_plugin::events::event_types::{TransportEvent, TransportFlags};
use shim_core::Block;

/// The block of `frames` samples that starts at `event`; without a transport the host has no clock.
pub fn block(event: Option<&TransportEvent>, frames: u32, offline: bool, rate: f64) -> Block {
    let Some(event) = event else { return Block { frames, offline, ..Block::default() } };
    let tempo = event.flags.contains(TransportFlags::HAS_TEMPO).then_some(event.tempo);
    let tempo = tempo.filter(|tempo| tempo.is_finite() && *tempo > 0.0);
    Block {
        frames,
        offline,
        playing: event.flags.contains(TransportFlags::IS_PLAYING),
        looping: event.flags.contains(TransportFlags::IS_LOOP_ACTIVE),
        position: position(event, tempo, rate),
        tempo,
        metre: metre(event),
        beat: has_beats(event).then(|| event.song_pos_beats.to_float()),
        bar: has_beats(event).then(|| event.bar_start.to_float()),
    }
}

fn has_beats(event: &TransportEvent) -> bool {
    event.flags.contains(TransportFlags::HAS_BEATS_TIMELINE)
}

fn metre(event: &TransportEvent) -> Option<(u32, u32)> {
    let metre = (event.time_signature_numerator, event.time_signature_denominator);
    event.flags.contains(TransportFlags::HAS_TIME_SIGNATURE).then_some((metre.0.into(), metre.1.into()))
}

/// Song position in samples. CLAP has no sample position: seconds carry 31 fractional bits, so rounding finds the
/// sample a host that counts samples meant. A host with beats only gives the right one as long as the tempo never
/// changed before this point.
fn position(event: &TransportEvent, tempo: Option<f64>, rate: f64) -> Option<i64> {
    let seconds = if event.flags.contains(TransportFlags::HAS_SECONDS_TIMELINE) {
        event.song_pos_seconds.to_float()
    } else if event.flags.contains(TransportFlags::HAS_BEATS_TIMELINE) {
        event.song_pos_beats.to_float() * 60.0 / tempo?
    } else {
        return None;
    };
    Some((seconds * rate).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clack_plugin::events::{EventFlags, EventHeader};
    use clack_plugin::utils::{BeatTime, SecondsTime};

    fn event(flags: TransportFlags, seconds: f64, beats: f64, tempo: f64) -> TransportEvent {
        TransportEvent {
            header: EventHeader::new_core(0, EventFlags::empty()),
            flags,
            song_pos_beats: BeatTime::from_float(beats),
            song_pos_seconds: SecondsTime::from_float(seconds),
            tempo,
            tempo_inc: 0.0,
            loop_start_beats: BeatTime::from_int(0),
            loop_end_beats: BeatTime::from_int(0),
            loop_start_seconds: SecondsTime::from_int(0),
            loop_end_seconds: SecondsTime::from_int(0),
            bar_start: BeatTime::from_int(0),
            bar_number: 0,
            time_signature_numerator: 4,
            time_signature_denominator: 4,
        }
    }

    #[test]
    fn seconds_give_back_the_sample_they_came_from() {
        for rate in [44_100.0, 48_000.0, 192_000.0] {
            for sample in [-768_i64, 0, 1, 44_099, 11_520_001] {
                let seconds = sample as f64 / rate;
                let event = event(TransportFlags::HAS_SECONDS_TIMELINE, seconds, 0.0, 120.0);
                assert_eq!(block(Some(&event), 64, false, rate).position, Some(sample));
            }
        }
    }

    #[test]
    fn beats_count_only_where_there_is_a_tempo() {
        let beats = TransportFlags::HAS_BEATS_TIMELINE;
        let with_tempo = event(beats | TransportFlags::HAS_TEMPO, 0.0, 2.0, 120.0);
        assert_eq!(block(Some(&with_tempo), 64, false, 48_000.0).position, Some(48_000));
        assert_eq!(block(Some(&event(beats, 0.0, 2.0, 120.0)), 64, false, 48_000.0).position, None);
    }

    #[test]
    fn bars_and_metre_are_passed_on_where_the_host_knows_them() {
        let silent = block(Some(&event(TransportFlags::HAS_TEMPO, 0.0, 6.5, 120.0)), 64, false, 48_000.0);
        assert_eq!((silent.metre, silent.beat, silent.bar), (None, None, None));
        let flags = TransportFlags::HAS_BEATS_TIMELINE | TransportFlags::HAS_TIME_SIGNATURE;
        let event = TransportEvent { bar_start: BeatTime::from_float(4.0), ..event(flags, 0.0, 6.5, 120.0) };
        let told = block(Some(&event), 64, false, 48_000.0);
        assert_eq!((told.metre, told.beat, told.bar), (Some((4, 4)), Some(6.5), Some(4.0)));
    }

    #[test]
    fn a_tempo_that_is_no_number_is_none() {
        let event = event(TransportFlags::HAS_TEMPO, 0.0, 0.0, f64::NAN);
        assert_eq!(block(Some(&event), 64, false, 48_000.0).tempo, None);
    }

    #[test]
    fn no_transport_means_no_clock() {
        let block = block(None, 64, true, 48_000.0);
        assert_eq!((block.playing, block.position, block.offline), (false, None, true));
    }
}
