//! The wet signal, sample by sample: which slot is heard where, and how one gives way to another.
//!
//! What is heard depends on the song position and the table alone, never on where a block begins.

use crate::{
    reclaim::Pin,
    ring::Answer,
    table::Entry,
    timeline::{CHUNK, Timeline},
};

/// A slot that is being heard.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Source {
    entry: Entry,
    chunk: i64,
}

/// How the previous signal leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fade {
    /// The input, plus what was left of an earlier fade, gives way to a slot.
    FromDry([f32; 2]),
    /// The replaced slot of the same chunk gives way to the new one.
    FromSlot(u32),
    /// The previous signal has no continuation: its last difference to the new one decays.
    Decay([f32; 2]),
}

pub(crate) struct Reader {
    /// Samples that a fade takes.
    ramp: u32,
    /// Where it is wet, in song samples.
    region: Option<(i64, i64)>,
    /// What the sidecar said last; live it holds until it says something else.
    known: Option<(i64, i64)>,
    /// Only what this pass rendered may be heard; otherwise an older pass fills in.
    exact: Option<u32>,
    /// Where its chunks lie in the table.
    shift: u32,
    source: Option<Source>,
    fade: Option<(Fade, u32)>,
    /// No earlier sample to give way.
    fresh: bool,
    index: usize,
    /// Of the last sample: wet minus dry, old minus new, and wet itself.
    offset: [f32; 2],
    difference: [f32; 2],
    last: [f32; 2],
}

impl Reader {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            ramp: rate / 100,
            region: None,
            known: None,
            exact: None,
            shift: 0,
            source: None,
            fade: None,
            fresh: true,
            index: 0,
            offset: [0.0; 2],
            difference: [0.0; 2],
            last: [0.0; 2],
        }
    }

    /// The next sample is the first of a pass. Offline, only the pass's own rendering is heard.
    pub(crate) fn begin_pass(&mut self, offline: Option<u32>, shift: u32) {
        (self.exact, self.shift) = (offline, shift);
        self.region = if offline.is_some() { None } else { self.known };
        self.skip();
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        self.known = answer.wet.then_some((answer.start, answer.end));
        self.region = self.known;
    }

    /// Where the next live pass is wet, until it is answered itself.
    pub(crate) fn expect(&mut self, answer: Answer) {
        self.known = answer.wet.then_some((answer.start, answer.end));
    }

    /// From here on the input is heard.
    pub(crate) fn dry(&mut self) {
        self.region = None;
    }

    /// The samples until the next `enter` are not heard, so the next one has nothing to give way.
    pub(crate) fn skip(&mut self) {
        self.source = None;
        self.fade = None;
        self.fresh = true;
        self.offset = [0.0; 2];
    }

    /// What must stay readable until the next block.
    pub(crate) fn pins(&self) -> [Pin; 2] {
        let fading = match self.fade {
            Some((Fade::FromSlot(slot), _)) => Some(slot),
            _ => None,
        };
        [self.source.map(|source| source.entry.slot), fading]
    }

    /// Turns to what is heard at `song`; returns for how many of `max` samples that holds. `ready` is asked, for each
    /// chunk inside the region, whether it may be looked up (offline it waits); when it says no, the rest is dry.
    pub(crate) fn enter(
        &mut self,
        timeline: &Timeline,
        song: i64,
        max: usize,
        ready: &mut impl FnMut(i64, [Pin; 2]) -> bool,
    ) -> usize {
        let chunk = song.div_euclid(CHUNK as i64);
        let inside = self.region.is_some_and(|(start, end)| (start..end).contains(&song));
        if inside && !ready(chunk, self.pins()) {
            self.dry();
        }
        let (target, length) = self.lookup(timeline, song, chunk);
        self.index = song.rem_euclid(CHUNK as i64) as usize;
        self.turn_to(timeline, target);
        max.min(length)
    }

    /// The rendered signal at any song position, silence where there is none.
    pub(crate) fn peek(&self, timeline: &Timeline, song: i64) -> [f32; 2] {
        let (source, _) = self.lookup(timeline, song, song.div_euclid(CHUNK as i64));
        source.map_or([0.0; 2], |source| timeline.sample(source.entry.slot, song.rem_euclid(CHUNK as i64) as usize))
    }

    /// What `peek` between two positions less than a chunk apart depends on.
    pub(crate) fn glance(&self, timeline: &Timeline, from: i64, to: i64) -> ([u64; 2], Option<(i64, i64)>) {
        let word = |song: i64| {
            let chunk = song.div_euclid(CHUNK as i64);
            timeline.entry(chunk, self.shift).load(std::sync::atomic::Ordering::Acquire)
        };
        ([word(from), word(to)], self.region)
    }

    /// Before the signal is read ahead as far as `song`: asks for that chunk too, where it is inside the region.
    pub(crate) fn await_ahead(&self, song: i64, ready: &mut impl FnMut(i64, [Pin; 2]) -> bool) {
        if self.region.is_some_and(|(start, end)| (start..end).contains(&song)) {
            ready(song.div_euclid(CHUNK as i64), self.pins());
        }
    }

    fn lookup(&self, timeline: &Timeline, song: i64, chunk: i64) -> (Option<Source>, usize) {
        let Some((start, end)) = self.region else { return (None, usize::MAX) };
        if song >= end {
            return (None, usize::MAX);
        }
        if song < start {
            return (None, start.abs_diff(song) as usize);
        }
        let left = ((chunk + 1) * CHUNK as i64).min(end).abs_diff(song) as usize;
        let entry = Entry::unpack(timeline.entry(chunk, self.shift).load(std::sync::atomic::Ordering::Acquire));
        let entry = entry.filter(|entry| entry.slot < timeline.layout.slots && timeline.chunk_of(entry.slot) == chunk);
        let entry = entry.filter(|entry| self.exact.is_none_or(|pass| entry.is_of(pass)));
        (entry.map(|entry| Source { entry, chunk }), left)
    }

    fn turn_to(&mut self, timeline: &Timeline, target: Option<Source>) {
        if std::mem::take(&mut self.fresh) {
            (self.source, self.fade) = (target, None);
            return;
        }
        match (self.source, target) {
            (None, Some(_)) => self.fade = Some((Fade::FromDry(self.offset), 0)),
            (Some(_), None) => self.fade = Some((Fade::Decay(self.offset), 0)),
            (Some(old), Some(new)) if old.chunk == new.chunk => self.replace(timeline, old, new),
            (Some(old), Some(new)) => self.follow(timeline, old, new),
            (None, None) => {}
        }
        self.source = target;
    }

    /// The chunk under the playhead was rendered again.
    fn replace(&mut self, timeline: &Timeline, old: Source, new: Source) {
        if old.entry.slot == new.entry.slot {
            return;
        }
        let fade = if self.fade.is_none() { Fade::FromSlot(old.entry.slot) } else { self.decay_into(timeline, new) };
        self.fade = Some((fade, 0));
    }

    /// The next chunk follows. Within a pass it continues the last one; another pass's does not.
    fn follow(&mut self, timeline: &Timeline, old: Source, new: Source) {
        match self.fade {
            Some((Fade::FromSlot(_), done)) => self.fade = Some((Fade::Decay(self.difference), done)),
            None if old.entry.pass != new.entry.pass => self.fade = Some((self.decay_into(timeline, new), 0)),
            _ => {}
        }
    }

    fn decay_into(&self, timeline: &Timeline, new: Source) -> Fade {
        let first = timeline.sample(new.entry.slot, self.index);
        Fade::Decay(finite([self.last[0] - first[0], self.last[1] - first[1]]))
    }

    /// The wet signal at the next sample, whose input is `dry`.
    pub(crate) fn next(&mut self, timeline: &Timeline, dry: [f32; 2]) -> [f32; 2] {
        let new = self.source.map_or(dry, |source| timeline.sample(source.entry.slot, self.index));
        let wet = match self.fade {
            None => new,
            Some((fade, done)) => self.faded(timeline, fade, done, dry, new),
        };
        self.index = (self.index + 1) % CHUNK;
        self.offset = finite([wet[0] - dry[0], wet[1] - dry[1]]);
        self.last = wet;
        wet
    }

    fn faded(&mut self, timeline: &Timeline, fade: Fade, done: u32, dry: [f32; 2], new: [f32; 2]) -> [f32; 2] {
        let weight = (done + 1) as f32 / self.ramp as f32;
        self.fade = (done + 1 < self.ramp).then_some((fade, done + 1));
        let cross = |old: [f32; 2]| [old[0] + (new[0] - old[0]) * weight, old[1] + (new[1] - old[1]) * weight];
        match fade {
            Fade::FromDry(rest) => cross([dry[0] + rest[0], dry[1] + rest[1]]),
            Fade::FromSlot(slot) => {
                let old = timeline.sample(slot, self.index);
                self.difference = finite([old[0] - new[0], old[1] - new[1]]);
                cross(old)
            }
            Fade::Decay(rest) => [new[0] + rest[0] * (1.0 - weight), new[1] + rest[1] * (1.0 - weight)],
        }
    }
}

/// A difference that is not finite would stay for a whole fade.
fn finite(pair: [f32; 2]) -> [f32; 2] {
    pair.map(|value| if value.is_finite() { value } else { 0.0 })
}

#[cfg(test)]
mod tests;
