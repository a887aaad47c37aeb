//! Which of very many codes lie nearest, when they are seen but once?
//!
//! Those that differ from the question's in the fewest bits are kept, with their codes, and measured at the end: few have to
//! be. Must not read tables.

/// Rows after which the bound is drawn closer.
const BLOCK: usize = 512;
/// Codes are let go of when so many times as many as are wanted have come together.
const SPARE: usize = 2;

/// Codes that differ from the question's in the fewest bits so far.
pub struct Near {
    code_bytes: usize,
    n_wanted: usize,
    /// Codes that differ in more bits are passed over.
    bound: u16,
    /// How many of those seen differ in so many bits.
    with: Vec<usize>,
    /// The texts, and in how many bits each differs.
    texts: Vec<(u64, u16)>,
    /// Their codes, one behind the other.
    codes: Vec<u8>,
}

impl Near {
    /// Begins; the `n_wanted` nearest are kept, and more where some are as near.
    pub fn new(code_bytes: usize, n_wanted: usize) -> Self {
        let with = vec![0; code_bytes * 8 + 1];
        Self { code_bytes, n_wanted, bound: u16::MAX, with, texts: Vec::new(), codes: Vec::new() }
    }

    /// Looks at codes from number `first` on, one for each of `counts`, which says in how many bits it differs.
    pub fn add(&mut self, first: u64, counts: &[u16], codes: &[u8]) {
        let blocks = counts.chunks(BLOCK).zip(codes.chunks(BLOCK * self.code_bytes));
        for (first, (counts, codes)) in (first..).step_by(BLOCK).zip(blocks) {
            self.add_block(first, counts, codes);
            self.draw_closer();
        }
    }

    fn add_block(&mut self, first: u64, counts: &[u16], codes: &[u8]) {
        let bound = self.bound;
        let each = (first..).zip(counts).zip(codes.chunks_exact(self.code_bytes));
        for ((text, count), code) in each.filter(|((_, count), _)| **count <= bound) {
            // A row of zeros was never set, or removed: no embedder gives a vector without a positive number.
            if code.iter().any(|byte| *byte != 0)
                && let Some(with) = self.with.get_mut(usize::from(*count))
            {
                *with += 1;
                self.texts.push((text, *count));
                self.codes.extend_from_slice(code);
            }
        }
    }

    fn draw_closer(&mut self) {
        let mut n_nearer = 0;
        let enough = self.with.iter().position(|n| {
            n_nearer += n;
            n_nearer >= self.n_wanted
        });
        self.bound = enough.and_then(|bound| u16::try_from(bound).ok()).unwrap_or(u16::MAX);
        if self.texts.len() > SPARE * self.n_wanted {
            self.let_go();
        }
    }

    /// Lets go of what is no longer within the bound.
    fn let_go(&mut self) {
        let (length, mut n_kept) = (self.code_bytes, 0);
        for at in 0..self.texts.len() {
            if self.texts[at].1 <= self.bound {
                self.texts[n_kept] = self.texts[at];
                self.codes.copy_within(at * length..(at + 1) * length, n_kept * length);
                n_kept += 1;
            }
        }
        self.texts.truncate(n_kept);
        self.codes.truncate(n_kept * length);
    }

    /// Takes in what another has kept of other codes.
    pub fn join(&mut self, other: &Self) {
        self.with.iter_mut().zip(&other.with).for_each(|(own, other)| *own += other);
        self.texts.extend_from_slice(&other.texts);
        self.codes.extend_from_slice(&other.codes);
        self.draw_closer();
    }

    /// Measures what is kept and returns the `n` nearest texts, by number: what lies side by side is then read once.
    pub fn nearest(&self, n: usize, table: &Table) -> Vec<u64> {
        let all = self.texts.iter().zip(self.codes.chunks_exact(self.code_bytes));
        let within = all.filter(|((_, count), _)| *count <= self.bound);
        let mut found: Vec<(u64, f32)> = within.map(|((text, _), code)| (*text, table.measure(code))).collect();
        if found.len() > n {
            found.select_nth_unstable_by(n, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(n);
        }
        let mut texts: Vec<u64> = found.into_iter().map(|(text, _)| text).collect();
        texts.sort_unstable();
        texts
    }
}

/// The sums of a question's numbers for every byte of a code: where a bit is set, the number counts.
pub struct Table(Vec<f32>);

impl Table {
    /// Adds up all there can be.
    pub fn of(question: &[f32]) -> Self {
        let mut sums = Vec::with_capacity(question.len().div_ceil(8) * 256);
        for eight in question.chunks(8) {
            let first = sums.len();
            sums.push(0.0);
            for byte in 1..256_usize {
                let lowest = byte.trailing_zeros() as usize;
                sums.push(sums[first + (byte & (byte - 1))] + eight.get(lowest).copied().unwrap_or_default());
            }
        }
        Self(sums)
    }

    /// Adds up what a code counts for: four sums beside each other, because each addition waits for the one before it.
    fn measure(&self, code: &[u8]) -> f32 {
        let (fours, rest) = self.0.as_chunks::<256>().0.as_chunks::<4>();
        let (codes, other) = code.as_chunks::<4>();
        let mut sums = [0.0_f32; 4];
        for (tables, bytes) in fours.iter().zip(codes) {
            for ((sum, table), byte) in sums.iter_mut().zip(tables).zip(bytes) {
                *sum += table[usize::from(*byte)];
            }
        }
        let rest: f32 = rest.iter().zip(other).map(|(table, byte)| table[usize::from(*byte)]).sum();
        sums.iter().sum::<f32>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_kept_however_many_come_and_in_whatever_order() {
        // The number is the code; a question of all ones counts its bits.
        let codes: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let counts: Vec<u16> = codes.iter().map(|code| code.count_zeros() as u16).collect();
        let table = Table::of(&[1.0; 8]);
        let whole = |codes: &[u8], counts: &[u16], first: u64| {
            let mut near = Near::new(1, 100);
            near.add(first, counts, codes);
            near
        };
        let all_ones: Vec<u64> = (0..20_000).filter(|at| at % 256 == 255).collect();
        let near = whole(&codes, &counts, 0);
        assert!(near.texts.len() <= SPARE * 100 + BLOCK && near.texts.len() * near.code_bytes == near.codes.len());
        assert_eq!(near.nearest(all_ones.len(), &table), all_ones);
        let mut halves = whole(&codes[..7000], &counts[..7000], 0);
        halves.join(&whole(&codes[7000..], &counts[7000..], 7000));
        assert_eq!(halves.nearest(all_ones.len(), &table), all_ones);
        assert!(near.nearest(20_000, &table).iter().all(|at| at % 256 != 0), "a row of zeros is none");
    }

    #[test]
    fn a_code_counts_for_the_numbers_of_its_bits() {
        let question: Vec<f32> = (0..43).map(|at| at as f32 - 20.0).collect();
        let code = [0b1000_0001, 0xff, 0, 0, 0b10, 0b100];
        let set = (0..43).filter(|at| code[at / 8] >> (at % 8) & 1 == 1);
        assert_eq!(Table::of(&question).measure(&code), set.map(|at| question[at]).sum::<f32>());
    }
}
