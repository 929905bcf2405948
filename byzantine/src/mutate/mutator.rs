//! Seven ways to change a value (after Winter et al., *Randomized Testing of Byzantine Fault Tolerant Algorithms*, OOPSLA 2023).

use crate::Dice;

/// A small change of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutator {
    /// One more; of a list, its last item twice; what is not there, there.
    Up,
    /// One less; of a list, all but its last item; what is there, gone.
    Down,
    /// Zero, empty, gone.
    Zero,
    /// As much as fits.
    Max,
    /// Anything.
    Random,
    /// What this replica said there before.
    Earlier,
    /// What another replica said there.
    Others,
}

impl Mutator {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Up, Self::Down, Self::Zero, Self::Max, Self::Random, Self::Earlier, Self::Others];

    /// A number of fixed width, a digest, a signature, as bytes with the lowest first: the last 32 of them change, since what is longer
    /// begins with lengths. `None`: this mutator does not calculate.
    pub(super) fn of_bytes(self, bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
        let (head, tail) = bytes.split_at(bytes.len().saturating_sub(32));
        let changed = match self {
            Self::Up => added(tail, 1, 0),
            Self::Down => added(tail, 0xff, 0xff),
            Self::Zero => vec![0; tail.len()],
            Self::Max => vec![0xff; tail.len()],
            Self::Random => dice.bytes(tail.len()),
            Self::Earlier | Self::Others => return None,
        };
        Some([head, &changed].concat())
    }
}

/// The sum of a number and one whose lowest byte is `first`, all others `rest`; what does not fit is cut off.
fn added(number: &[u8], first: u8, rest: u8) -> Vec<u8> {
    let mut carry = false;
    let add = |(index, byte): (usize, &u8)| {
        let (sum, one) = byte.overflowing_add(if index == 0 { first } else { rest });
        let (sum, two) = sum.overflowing_add(u8::from(carry));
        carry = one || two;
        sum
    };
    number.iter().enumerate().map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_up_and_down_and_around() {
        let change = |mutator: Mutator, number: u64| {
            let bytes = mutator.of_bytes(&number.to_le_bytes(), &mut Dice::new(1)).expect("it calculates");
            u64::from_le_bytes(bytes.try_into().expect("as long as before"))
        };
        for number in [0, 1, 255, 256, 65_535, u64::MAX] {
            assert_eq!(change(Mutator::Up, number), number.wrapping_add(1));
            assert_eq!(change(Mutator::Down, number), number.wrapping_sub(1));
            assert_eq!((change(Mutator::Zero, number), change(Mutator::Max, number)), (0, u64::MAX));
        }
        let long = [1u8; 40];
        assert_eq!(Mutator::Zero.of_bytes(&long, &mut Dice::new(1)), Some([[1; 8].as_slice(), &[0; 32]].concat()));
    }
}
