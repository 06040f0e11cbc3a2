//! Texts and queries a second on one thread, for each kernel:
//! `cargo bench -p insites-embedding`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use insites_embedding::{Encoder, Kernel, TOKENS, Workspace};
use std::time::Instant;

fn main() {
    let words = "the team asked patients why they did not come and changed the letters that \
                 remind them of an appointment then measured missed visits in each clinic";
    println!("kernel        tokens  texts/s  ms/text");
    for kernel in Kernel::available() {
        let encoder = Encoder::with_kernel(kernel);
        let mut workspace = Workspace::default();
        for tokens in [4, 8, 12, 60, 190] {
            let mut text = encoder.tokens(&words.repeat(10));
            text.truncate((tokens - 2).min(TOKENS - 2));
            let mut best = f64::MAX;
            for _ in 0..if kernel == Kernel::Portable { 3 } else { 40 } {
                let begun = Instant::now();
                let vectors = encoder.vectors(std::slice::from_ref(&text), &mut workspace);
                assert_eq!(vectors.len(), 1);
                best = best.min(begun.elapsed().as_secs_f64());
            }
            println!("{:12} {tokens:7} {:8.1} {:8.2}", kernel.name(), 1.0 / best, best * 1e3);
        }
        let texts: Vec<Vec<u32>> = (0..8).map(|_| encoder.tokens(words)).collect();
        let begun = Instant::now();
        let rounds: u32 = if kernel == Kernel::Portable { 1 } else { 10 };
        for _ in 0..rounds {
            assert_eq!(encoder.vectors(&texts, &mut workspace).len(), 8);
        }
        let each = begun.elapsed().as_secs_f64() / f64::from(rounds * 8);
        println!(
            "{:12} 8 x {:3} {:8.1} {:8.2}",
            kernel.name(),
            texts[0].len() + 2,
            1.0 / each,
            each * 1e3
        );
    }
}
