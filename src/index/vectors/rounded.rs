//! In how few bytes is a vector kept so that the order of what is found stays?
//!
//! Of up to 256 numbers, a bit for the sign of each and five for its size, on 32 steps that lie closer where more numbers
//! are: the built-in embedder's vectors are a third of the index otherwise. Of more numbers, eight bits each: those of a
//! server were paid for, and theirs are spread more unevenly. Which of both it is follows from how many there are. Must not
//! read or write tables: that is [`codes`](super::codes).

use crate::index::embed::normalise;

/// Numbers of a vector up to which each takes six bits, when they fill whole bytes. Of a server's vectors, see the figures.
const MAX_COARSE: usize = 256;
/// The largest of the numbers of eight bits.
const LARGEST: f32 = 127.0;
/// The largest size there is a nearest step for.
const FINEST: f32 = 1023.0;
/// Sizes of a number of six bits. They are the means of the 32 heaps into which the numbers of 14,800 vectors of the
/// built-in embedder fall with the least error (Lloyd's steps): .0008 of the square of a vector's length, half of what even
/// steps give.
const STEPS: [u16; 32] = [
    6, 19, 33, 49, 67, 87, 109, 133, 159, 186, 214, 242, 272, 302, 332, 362, 392, 423, 454, 487, 520, 555, 591, 629,
    670, 711, 754, 799, 847, 899, 954, 1013,
];
/// The nearest step of each whole size.
const STEP_OF: [u8; 1024] = {
    let mut steps = [0; 1024];
    let (mut size, mut step) = (0, 0);
    while size < 1024 {
        while step < 31 && size * 2 > STEPS[step] as usize + STEPS[step + 1] as usize {
            step += 1;
        }
        steps[size] = step as u8;
        size += 1;
    }
    steps
};
/// The number that five bits of size and, above them, the sign stand for.
const NUMBERS: [f32; 64] = {
    let mut numbers = [0.0; 64];
    let mut at = 0;
    while at < 32 {
        numbers[at] = -(STEPS[at] as f32);
        numbers[at + 32] = STEPS[at] as f32;
        at += 1;
    }
    numbers
};
/// What a scale is kept in steps of: with it that of a vector of length 1 lies within two bytes, whatever its numbers.
const SCALE_STEPS: f32 = (1 << 25) as f32;

fn is_coarse(dimensions: usize) -> bool {
    dimensions <= MAX_COARSE && dimensions.is_multiple_of(8)
}

/// Returns one bit for each dimension, the first the lowest of its byte: whether its number is positive.
pub fn bits(vector: &[f32]) -> Vec<u8> {
    plane(vector.iter().map(|number| *number > 0.0))
}

fn plane(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, bit) in bits.enumerate() {
        if at % 8 == 0 {
            bytes.push(0);
        }
        if let Some(byte) = bytes.last_mut() {
            *byte |= u8::from(bit) << (at % 8);
        }
    }
    bytes
}

/// Returns what is kept of a vector of length 1: a scale, little-endian, then the numbers; of six bits, all signs, then the
/// four low bits of all sizes, then their highest. None when the vector has no direction.
pub fn round(vector: &[f32]) -> Option<Vec<u8>> {
    let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    if largest <= 0.0 || !largest.is_finite() {
        return None;
    }
    if !is_coarse(vector.len()) {
        let scale = largest / LARGEST;
        let numbers = vector.iter().map(|number| ((number / scale).round() as i8).cast_unsigned());
        return Some(scale.to_le_bytes().into_iter().chain(numbers).collect());
    }
    let factor = FINEST / largest;
    let steps: Vec<u8> = vector.iter().map(|number| STEP_OF[(number.abs() * factor) as usize & 1023]).collect();
    // The product with the vector itself is 1, so that none seems nearer for how it was rounded.
    let sizes = vector.iter().zip(&steps).map(|(number, step)| number.abs() * f32::from(STEPS[usize::from(*step)]));
    let scale = (SCALE_STEPS / sizes.sum::<f32>()).round() as u16;
    let mut kept = scale.to_le_bytes().to_vec();
    kept.extend(bits(vector));
    kept.extend(steps.as_chunks::<2>().0.iter().map(|[low, high]| (low & 15) | high << 4));
    kept.extend(plane(steps.iter().map(|step| *step > 15)));
    Some(kept)
}

/// Returns a kept vector of so many numbers as it was but for rounding, of length 1.
pub fn widen(kept: &[u8], dimensions: usize) -> Vec<f32> {
    let mut vector = Vec::with_capacity(dimensions);
    if is_coarse(dimensions) {
        each_eight(kept, dimensions, |eight| vector.extend(eight));
    } else if let Some((_, numbers)) = kept.split_first_chunk::<4>() {
        vector.extend(numbers.iter().map(|byte| f32::from(byte.cast_signed())));
    }
    normalise(&mut vector);
    vector
}

/// The product of a question of length 1 and a kept vector.
pub fn cosine(question: &[f32], kept: &[u8]) -> f32 {
    if is_coarse(question.len()) {
        let mut eights = question.as_chunks::<8>().0.iter();
        let mut sum = 0.0;
        let scale = each_eight(kept, question.len(), |eight| {
            let both = eights.next().into_iter().flatten().zip(eight);
            sum += both.map(|(a, b)| a * b).sum::<f32>();
        });
        return sum * scale;
    }
    let Some((scale, numbers)) = kept.split_first_chunk::<4>() else { return 0.0 };
    let sum: f32 = question.iter().zip(numbers).map(|(a, b)| a * f32::from(b.cast_signed())).sum();
    sum * f32::from_le_bytes(*scale)
}

/// Shows the numbers of a vector of six bits a number, eight by eight, and returns their scale.
fn each_eight(kept: &[u8], dimensions: usize, mut show: impl FnMut([f32; 8])) -> f32 {
    let n = dimensions / 8;
    let parts = kept.split_first_chunk::<2>().and_then(|(scale, rest)| {
        let (signs, sizes) = rest.split_at_checked(n)?;
        Some((scale, signs, sizes.split_at_checked(4 * n)?))
    });
    let Some((scale, signs, (low, high))) = parts else { return 0.0 };
    for ((signs, low), high) in signs.iter().zip(low.as_chunks::<4>().0).zip(high) {
        let (signs, low, high) = (u32::from(*signs), u32::from_le_bytes(*low), u32::from(*high));
        let number = |at: usize| low >> (4 * at) & 15 | (high >> at & 1) << 4 | (signs >> at & 1) << 5;
        show(std::array::from_fn(|at| NUMBERS[number(at) as usize]));
    }
    f32::from(u16::from_le_bytes(*scale)) / SCALE_STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vector whose numbers differ in size and sign.
    fn vector(dimensions: usize) -> Vec<f32> {
        let mut vector: Vec<f32> =
            (0..dimensions).map(|at| ((at * 37 % 101) as f32 / 50.0 - 1.0) * (1 + at % 3) as f32).collect();
        normalise(&mut vector);
        vector
    }

    #[test]
    fn a_vector_without_direction_is_none() {
        for vector in [[0.0; 8], [f32::INFINITY; 8], [f32::NAN; 8]] {
            assert_eq!(round(&vector), None, "{vector:?}");
        }
        assert_eq!(bits(&[0.5, -1.0, 0.0, 0.1, -0.1, 0.0, 0.0, 0.0, 1.0]), [0b1001, 1]);
    }

    #[test]
    fn a_kept_vector_points_where_it_pointed_and_takes_the_room_of_its_kind() {
        // Dimensions, bytes kept, the largest error of a cosine.
        let table = [(256, 194, 0.005), (64, 50, 0.01), (8, 8, 0.02), (12, 16, 0.01), (768, 772, 0.001)];
        for (dimensions, n_bytes, error) in table {
            let vector = vector(dimensions);
            let kept = round(&vector).unwrap();
            assert_eq!(kept.len(), n_bytes, "{dimensions}");
            assert!((cosine(&vector, &kept) - 1.0).abs() < 0.001, "{dimensions}: {}", cosine(&vector, &kept));
            let back = widen(&kept, dimensions);
            assert_eq!(back.len(), dimensions);
            let product: f32 = back.iter().zip(&vector).map(|(a, b)| a * b).sum();
            assert!((product - 1.0).abs() < error, "{dimensions}: {product}");
            let mut other = vector.clone();
            other.rotate_left(3);
            let exact: f32 = other.iter().zip(&vector).map(|(a, b)| a * b).sum();
            assert!((cosine(&other, &kept) - exact).abs() < error, "{dimensions}: {exact}");
        }
    }

    #[test]
    fn one_number_alone_keeps_its_sign_and_rubbish_is_no_vector() {
        for dimensions in [8, 16, 256, 300] {
            let mut alone = vec![0.0; dimensions];
            alone[7] = -1.0;
            let kept = round(&alone).unwrap();
            assert!((cosine(&alone, &kept) - 1.0).abs() < 0.001, "{dimensions}: {}", cosine(&alone, &kept));
            assert!(widen(&kept, dimensions)[7] < -0.99, "{dimensions}");
            for n in 0..kept.len() {
                let (cosine, back) = (cosine(&alone, &kept[..n]), widen(&kept[..n], dimensions));
                assert!(cosine.is_finite() && back.len() <= dimensions && back.iter().all(|n| n.is_finite()), "{n}");
            }
        }
    }
}
