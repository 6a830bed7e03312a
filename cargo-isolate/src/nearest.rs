//! Which known name somebody most likely meant.

/// The candidate most like `word`, if any is like enough to be worth naming. Ties go to the first.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(word, candidate);
        if likeness > best.map_or(0.8, |(best, _)| best) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        let known = ["static-mut", "missing-safety-comment", "unsafe-block"];
        assert_eq!(nearest(word, known), expected);
    }

    #[test]
    fn names_what_was_meant() {
        check("static_mut", Some("static-mut"));
        check("missing-safty-comment", Some("missing-safety-comment"));
        check("unsafe", Some("unsafe-block"));
        check("zlib", None);
    }
}
