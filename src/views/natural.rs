//! Natural order: runs of ASCII digits compare as numbers, so that `v2` stands before `v10`. The same order as docker's
//! listings: bytes otherwise, a digit before anything else, fewer leading zeros first.
use std::cmp::Ordering;

/// Compares two names in natural order.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some((p, rest_x)), Some((q, rest_y))) = (x.split_first(), y.split_first()) else { return a.len().cmp(&b.len()) };
        match (p.is_ascii_digit(), q.is_ascii_digit()) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) if p != q => return p.cmp(q),
            (false, false) => (x, y) = (rest_x, rest_y),
            (true, true) => {
                let (number_x, zeros_x, after_x) = number(x);
                let (number_y, zeros_y, after_y) = number(y);
                let order = number_x.len().cmp(&number_y.len()).then(number_x.cmp(number_y)).then(zeros_x.cmp(&zeros_y));
                if order != Ordering::Equal {
                    return order;
                }
                (x, y) = (after_x, after_y);
            }
        }
    }
}

/// The digits at the start without leading zeros, how many zeros led, and what follows.
fn number(s: &[u8]) -> (&[u8], usize, &[u8]) {
    let zeros = s.iter().take_while(|b| **b == b'0').count();
    let digits = s.iter().skip(zeros).take_while(|b| b.is_ascii_digit()).count();
    let (head, after) = s.split_at(zeros + digits);
    (head.split_at(zeros).1, zeros, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut v = ["v10", "v2", "v02", "v1.10", "v1.9", "ab", "a1", "a", "latest", "1"];
        v.sort_by(|a, b| compare(a, b));
        assert_eq!(v, ["1", "a", "a1", "ab", "latest", "v1.9", "v1.10", "v2", "v02", "v10"]);
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_total(a in "[a0-3/]{0,6}", b in "[a0-3/]{0,6}", c in "[a0-3/]{0,6}") {
            proptest::prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            proptest::prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                proptest::prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
