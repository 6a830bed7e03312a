//! Which known name somebody most likely meant.

/// The candidate most like `word`, if any is like enough to be worth naming: one that begins with it, or that differs in half
/// of its letters at most. Ties go to the first.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates.into_iter().filter(|candidate| is_near(word, candidate)) {
        let likeness = strsim::jaro_winkler(word, candidate);
        if likeness > best.map_or(0.8, |(best, _)| best) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn is_near(word: &str, candidate: &str) -> bool {
    let longer = word.chars().count().max(candidate.chars().count());
    let begins = word.len() > 2 && candidate.starts_with(word);
    begins || strsim::osa_distance(word, candidate) * 2 <= longer
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
        // Alike at its beginning, and nothing that one writes for the other.
        check("static-assertions", None);
    }
}
