//! The two processors that can be switched in.

use super::*;

fn true_peak(samples: &[[f32; 2]]) -> f64 {
    let interpolated = |at: usize, channel: usize, phase: &[f64; 12]| -> f64 {
        (0..12).map(|tap| phase[tap] * f64::from(samples[at - tap][channel])).sum()
    };
    let windows = (11..samples.len()).flat_map(|at| [(at, 0), (at, 1)]);
    windows
        .flat_map(|(at, channel)| limiter::FILTER.iter().map(move |phase| interpolated(at, channel, phase).abs()))
        .fold(0.0, f64::max)
}

#[test]
fn the_rendered_signal_stays_under_the_true_peak_ceiling_whatever_it_is() {
    for seed in 0..6 {
        // Loud and quiet stretches of noise and of a tone whose peaks lie between its samples.
        let mut song = song(seed, 0, 8000, (0, 9000));
        song.fill(|at, noise| {
            let level = if at / 700 % 2 == 0 { 1.9 } else { 0.3 };
            let tone = (at as f32 * std::f32::consts::FRAC_PI_2 + std::f32::consts::FRAC_PI_4).sin();
            level * if seed % 2 == 0 { noise } else { tone }
        });
        let loud = floats(&render(&song, &[], &[512], true));
        let out = floats(&render(&song, &[(TRUE_PEAK, 0, 2.0)], &[512], true));
        assert!(true_peak(&loud) > 1.2, "{}", true_peak(&loud));
        assert!(true_peak(&out) <= 0.8913, "{seed}: {}", 20.0 * true_peak(&out).log10());
        let quiet = 8 * 700 - 400..8 * 700 - 80;
        assert!(
            quiet.clone().any(|at| out[at] != [0.0; 2]) && out[quiet.start][0].abs() > 0.3 * loud[quiet.start][0].abs()
        );
    }
}

#[test]
fn a_signal_under_the_ceiling_and_a_bounce_with_the_live_limiter_are_left_alone() {
    let mut quiet = song(1, 0, 6000, (0, 9000));
    quiet.fill(|_, noise| noise * 0.3);
    assert_eq!(render(&quiet, &[(TRUE_PEAK, 0, 2.0)], &[100], true), render(&quiet, &[], &[100], true));
    let loud = song(1, 0, 6000, (0, 9000));
    let off = render(&loud, &[(OUTPUT_GAIN, 0, 6.0)], &[100], true);
    assert_eq!(render(&loud, &[(OUTPUT_GAIN, 0, 6.0), (TRUE_PEAK, 0, 1.0)], &[100], true), off);
    assert_ne!(render(&loud, &[(OUTPUT_GAIN, 0, 6.0), (TRUE_PEAK, 0, 1.0)], &[100], false), off);
}

#[test]
fn no_sample_of_the_input_passes_the_ceiling_either() {
    let song = song(2, 0, 6000, (0, 0));
    let out = floats(&render(&song, &[(OUTPUT_GAIN, 0, 12.0), (TRUE_PEAK, 0, 2.0)], &[64], false));
    assert!(out.iter().flatten().all(|sample| sample.abs() <= 0.8913));
}

#[test]
fn loudness_match_brings_the_rendered_signal_to_the_input_within_its_bounds() {
    for (level, expected) in [(0.25f32, 4.0f32), (0.5, 2.0), (2.0, 0.5), (0.01, 4.0)] {
        let mut song = song(3, 0, 40 * FRAME as usize, (0, 1 << 20));
        let dry = song.dry.clone();
        song.fill(|at, _| dry.get(at).map_or(0.0, |pair| pair[0] * level));
        song.dry.iter_mut().for_each(|pair| pair[1] = pair[0]);
        let out = floats(&render(&song, &[(LOUDNESS_MATCH, 0, 1.0)], &[333], true));
        let first = 5 * FRAME as usize;
        assert!((out[first][0] - dry[first][0] * level).abs() < 1e-6, "nothing is changed at first");
        for at in 35 * FRAME as usize..40 * FRAME as usize {
            let gain = out[at][0] / (dry[at][0] * level);
            assert!((gain / expected - 1.0).abs() < 0.01 || dry[at][0] == 0.0, "{level}: {gain}");
        }
    }
}

#[test]
fn silence_and_values_that_are_no_numbers_teach_the_loudness_match_nothing() {
    let mut song = song(4, 0, 30 * FRAME as usize, (0, 1 << 20));
    song.fill(|_, noise| noise * 0.5);
    for value in [0.0, f32::MIN_POSITIVE / 4.0, f32::NAN, f32::INFINITY] {
        song.dry.fill([value; 2]);
        let matched = render(&song, &[(LOUDNESS_MATCH, 0, 1.0), (TRUE_PEAK, 0, 2.0)], &[512], true);
        let plain = render(&song, &[], &[512], true);
        assert_eq!(matched, plain, "{value}");
    }
}
