use super::*;

const FRAMES: usize = 3;
const LEFT: [f32; FRAMES] = [1.0, 2.0, 3.0];
const RIGHT: [f32; FRAMES] = [10.0, 20.0, 30.0];

fn doubled(samples: [f32; FRAMES]) -> [f32; FRAMES] {
    samples.map(|sample| sample * 2.0)
}

fn run(inputs: &[*mut f32], outputs: &[*mut f32]) -> bool {
    let mut pair = Pair::new(FRAMES);
    // SAFETY: the tests hand over arrays of FRAMES samples or null.
    unsafe {
        pair.run(inputs, outputs, FRAMES, |channels| {
            channels.into_iter().flatten().for_each(|sample| *sample *= 2.0);
        })
    }
}

#[test]
fn separate_buffers_keep_the_input_and_fill_the_output() {
    let (mut left, mut right, mut a, mut b) = (LEFT, RIGHT, [9.0; FRAMES], [9.0; FRAMES]);
    assert!(run(&[left.as_mut_ptr(), right.as_mut_ptr()], &[a.as_mut_ptr(), b.as_mut_ptr()]));
    assert_eq!((left, right, a, b), (LEFT, RIGHT, doubled(LEFT), doubled(RIGHT)));
}

#[test]
fn in_place_buffers_are_processed_once() {
    let (mut left, mut right) = (LEFT, RIGHT);
    let channels = [left.as_mut_ptr(), right.as_mut_ptr()];
    assert!(run(&channels, &channels));
    assert_eq!((left, right), (doubled(LEFT), doubled(RIGHT)));
}

#[test]
fn crossed_buffers_swap_sides() {
    let (mut a, mut b) = (LEFT, RIGHT);
    let (a_ptr, b_ptr) = (a.as_mut_ptr(), b.as_mut_ptr());
    assert!(run(&[a_ptr, b_ptr], &[b_ptr, a_ptr]));
    assert_eq!((b, a), (doubled(LEFT), doubled(RIGHT)));
}

#[test]
fn a_right_input_in_the_left_output_survives_the_copy() {
    let (mut left, mut right, mut out) = (LEFT, RIGHT, [9.0; FRAMES]);
    let right_ptr = right.as_mut_ptr();
    assert!(run(&[left.as_mut_ptr(), right_ptr], &[right_ptr, out.as_mut_ptr()]));
    assert_eq!((right, out), (doubled(LEFT), doubled(RIGHT)));
}

#[test]
fn a_mono_input_feeds_both_sides() {
    let (mut mono, mut a, mut b) = (LEFT, [9.0; FRAMES], [9.0; FRAMES]);
    assert!(run(&[mono.as_mut_ptr()], &[a.as_mut_ptr(), b.as_mut_ptr()]));
    assert_eq!((a, b), (doubled(LEFT), doubled(LEFT)));
}

#[test]
fn a_missing_input_is_silence() {
    let (mut a, mut b) = ([9.0; FRAMES], [9.0; FRAMES]);
    assert!(run(&[], &[a.as_mut_ptr(), b.as_mut_ptr()]));
    assert_eq!((a, b), ([0.0; FRAMES], [0.0; FRAMES]));
}

#[test]
fn a_mono_or_shared_output_gets_the_mean_of_both_sides() {
    for twice in [false, true] {
        let (mut left, mut right, mut out) = (LEFT, RIGHT, [9.0; FRAMES]);
        let out_ptr = out.as_mut_ptr();
        let outputs = if twice { vec![out_ptr, out_ptr] } else { vec![ptr::null_mut(), out_ptr] };
        assert!(run(&[left.as_mut_ptr(), right.as_mut_ptr()], &outputs));
        assert_eq!(out, [11.0, 22.0, 33.0]);
    }
}

#[test]
fn no_output_at_all_still_runs_the_block() {
    let (mut left, mut right) = (LEFT, RIGHT);
    assert!(run(&[left.as_mut_ptr(), right.as_mut_ptr()], &[]));
    assert_eq!((left, right), (LEFT, RIGHT));
}

#[test]
fn channels_after_the_second_are_silenced() {
    let (mut left, mut right, mut extra) = (LEFT, RIGHT, [9.0; FRAMES]);
    let (left_ptr, right_ptr) = (left.as_mut_ptr(), right.as_mut_ptr());
    assert!(run(&[left_ptr, right_ptr], &[left_ptr, right_ptr, extra.as_mut_ptr(), left_ptr]));
    assert_eq!((left, right, extra), (doubled(LEFT), doubled(RIGHT), [0.0; FRAMES]));
}

#[test]
fn a_block_longer_than_the_spare_channels_stays_dry() {
    let (mut input, mut out) = (LEFT, [9.0; FRAMES]);
    let mut pair = Pair::new(FRAMES - 1);
    // SAFETY: both arrays hold FRAMES samples.
    let done = unsafe {
        pair.run(&[input.as_mut_ptr()], &[out.as_mut_ptr()], FRAMES, |_| unreachable!("the block is too long"))
    };
    assert!(!done);
    assert_eq!(out, LEFT);
}

fn read(inputs: &[*mut f32], room: usize) -> Option<[Vec<f32>; 2]> {
    let mut side = Side::new(room);
    // SAFETY: the tests hand over arrays of FRAMES samples or null.
    unsafe { side.read(inputs, FRAMES) }.map(|channels| channels.map(<[f32]>::to_vec))
}

#[test]
fn a_second_input_may_be_mono_or_half_missing() {
    let (mut left, mut right) = (LEFT, RIGHT);
    let (left, right, null) = (left.as_mut_ptr(), right.as_mut_ptr(), ptr::null_mut());
    assert_eq!(read(&[left, right], FRAMES), Some([LEFT.to_vec(), RIGHT.to_vec()]));
    assert_eq!(read(&[left], FRAMES), Some([LEFT.to_vec(), LEFT.to_vec()]));
    assert_eq!(read(&[null, right], FRAMES), Some([vec![0.0; FRAMES], RIGHT.to_vec()]));
}

#[test]
fn a_second_input_that_is_missing_or_too_long_is_none() {
    let mut left = LEFT;
    assert_eq!(read(&[], FRAMES), None);
    assert_eq!(read(&[ptr::null_mut(); 2], FRAMES), None);
    assert_eq!(read(&[left.as_mut_ptr()], FRAMES - 1), None);
}
