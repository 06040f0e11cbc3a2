//! Every kernel that this processor has gives what the portable loops give.

use super::{HEAD, Kernel, Rows, Scratch, Span, Then, portable};
use crate::vector::DIMENSIONS;
use crate::weights::Norm;

fn values(count: usize, spread: f32) -> Vec<f32> {
    let mut state = 42_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let high = u16::try_from(state >> 16).expect("sixteen bits");
            (f32::from(high) / 65_536.0 - 0.5) * spread
        })
        .collect()
}

fn close(ours: &[f32], theirs: &[f32], most: f32, what: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (n, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= most * (1.0 + b.abs()), "{what}: {a} and {b} at {n}");
    }
}

#[test]
fn the_best_kernel_is_an_available_one() {
    assert!(Kernel::available().contains(&Kernel::best()));
    assert_eq!(Kernel::available().last(), Some(&Kernel::Portable));
}

#[test]
fn products_agree_for_every_number_of_rows_also_at_the_largest_values() {
    let (matrix, sample) = portable::sample();
    for kernel in Kernel::available() {
        for count in 1..=7 {
            for then in [Then::Nothing, Then::Gelu] {
                let sample = &sample[..count * matrix.inputs];
                let mut rows = Rows::default();
                portable_quantise(sample, matrix.inputs, &mut rows);
                let mut ours = vec![0.0; count * matrix.outputs];
                let mut theirs = ours.clone();
                kernel.product(&matrix, &rows, then, &mut ours);
                portable::product(&matrix, &rows, then, &mut theirs);
                close(&ours, &theirs, 2e-4, &format!("{kernel:?} {count} rows"));
            }
        }
    }
}

fn portable_quantise(values: &[f32], width: usize, rows: &mut Rows) {
    rows.reset(values.len() / width, width);
    portable::quantise(values, rows);
}

#[test]
fn a_product_is_what_the_definition_says() {
    let (matrix, sample) = portable::sample();
    let mut rows = Rows::default();
    portable_quantise(&sample, matrix.inputs, &mut rows);
    let mut out = vec![0.0; 7 * matrix.outputs];
    portable::product(&matrix, &rows, Then::Nothing, &mut out);
    for row in 0..7 {
        for column in 0..matrix.outputs {
            let mut sum = rows.lows[row] * matrix.sums[column] + matrix.bias[column];
            for input in 0..matrix.inputs {
                let (panel, group) = (column / 32, input / 32);
                let block = panel * matrix.groups() + group;
                let at = input % 32 / 4 * 128 + column % 32 * 4 + input % 4;
                sum += f32::from(rows.bytes[row * matrix.inputs + input])
                    * rows.scales[row]
                    * f32::from(matrix.blocks[block].0[at])
                    * matrix.scales[block][column % 32];
            }
            let found = out[row * matrix.outputs + column];
            assert!((found - sum).abs() < 1e-3 * (1.0 + sum.abs()), "{found} {sum}");
        }
    }
}

#[test]
fn quantised_rows_are_near_the_values() {
    let sample = values(3 * 64, 9.0);
    for kernel in Kernel::available() {
        let mut rows = Rows::default();
        kernel.quantise(&sample, 64, &mut rows);
        for (n, value) in sample.iter().enumerate() {
            let near = f32::from(rows.bytes[n]) * rows.scales[n / 64] + rows.lows[n / 64];
            assert!(
                (near - value).abs() <= rows.scales[n / 64] * 0.51,
                "{kernel:?} {near} {value}"
            );
        }
        let mut rows = Rows::default();
        kernel.quantise(&[1.5; 64], 64, &mut rows);
        assert_eq!((rows.scales[0], rows.lows[0]), (0.0, 1.5), "a row of equal values");
    }
}

#[test]
fn attention_agrees_for_every_length() {
    let (width, heads) = (2 * HEAD, 2);
    for kernel in Kernel::available() {
        for count in [1, 2, 3, 5, 16, 17, 40] {
            let first = 2;
            let qkv = values((first + count) * 3 * width, 6.0);
            let span = Span { first, count, width, heads };
            let mut ours = vec![0.0; (first + count) * width];
            let mut theirs = ours.clone();
            kernel.attention(&qkv, span, &mut Scratch::default(), &mut ours);
            portable::attention(&qkv, span, &mut Scratch::default(), &mut theirs);
            close(&ours, &theirs, 5e-5, &format!("{kernel:?} {count}"));
        }
    }
}

#[test]
fn normalised_rows_agree_and_have_no_mean() {
    let norm = Norm { weight: vec![1.0; 64], bias: vec![0.25; 64] };
    for kernel in Kernel::available() {
        let mut ours = values(3 * 64, 4.0);
        let mut theirs = ours.clone();
        let more = values(3 * 64, 1.0);
        kernel.add_and_normalise(&mut ours, &more, &norm);
        portable::add_and_normalise(&mut theirs, &more, &norm);
        close(&ours, &theirs, 1e-5, &format!("{kernel:?}"));
        let mean = ours[..64].iter().sum::<f32>() / 64.0;
        assert!((mean - 0.25).abs() < 1e-5, "{mean}");
    }
}

#[test]
fn products_of_one_vector_with_several_agree() {
    let one: [i8; DIMENSIONS] =
        std::array::from_fn(|n| i8::try_from(n * 37 % 255).unwrap_or(-127).max(-127));
    let rows: Vec<[i8; DIMENSIONS]> = (0..9_usize)
        .map(|row| std::array::from_fn(|n| i8::try_from((n * row * 13) % 250).unwrap_or(-126)))
        .chain([[127; DIMENSIONS], [-127; DIMENSIONS], [0; DIMENSIONS]])
        .collect();
    let others: Vec<&[i8; DIMENSIONS]> = rows.iter().collect();
    let expected: Vec<i32> = rows.iter().map(|row| portable::dot(&one, row)).collect();
    let mut out = vec![0; others.len()];
    super::dots(&one, &others, &mut out);
    assert_eq!(out, expected);
    #[cfg(target_arch = "x86_64")]
    for kernel in Kernel::available() {
        let mut out = vec![0; others.len()];
        match kernel {
            Kernel::Vnni => super::vnni::guarded::dots(&one, &others, &mut out),
            Kernel::Avx2 => super::avx2::guarded::dots(&one, &others, &mut out),
            Kernel::Portable => out.clone_from(&expected),
        }
        assert_eq!(out, expected, "{kernel:?}");
    }
}

#[test]
fn products_of_vectors_agree_at_both_ends() {
    let mut a = [127; DIMENSIONS];
    let b = [-127; DIMENSIONS];
    for step in [1, 3, 7] {
        let same = f32::from(i16::try_from(portable::dot(&a, &b) / 384).expect("small")) * 384.0;
        assert!((super::dot(&a, &b) - same).abs() < 384.0);
        for (n, byte) in a.iter_mut().enumerate().filter(|(n, _)| n % step == 0) {
            *byte = i8::try_from(n % 127).expect("small");
        }
    }
    assert_eq!(portable::dot(&[127; DIMENSIONS], &b), -127 * 127 * 384);
}

#[test]
fn bits_are_counted_alike_in_every_way() {
    use super::bits::Way;
    let words = |seed: u64, count: usize| -> Vec<u64> {
        let next = |word: &u64| Some(word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        std::iter::successors(Some(seed), next).take(count).collect()
    };
    for count in [0, 1, 7, 8, 9, 64, 1_577] {
        let (a, b) = (words(3, count), words(5, count + count % 3));
        for way in Way::available() {
            let bits = |n: usize| a[n / 64] & b[n / 64] & 1 << (n % 64) != 0;
            let expected = (0..count * 64).filter(|n| bits(*n)).count() as u64;
            assert_eq!(way.common(&a, &b), expected, "{way:?} {count}");
        }
    }
}
