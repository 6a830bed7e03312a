//! Globs over names: `inflate*`, `mycrate::legacy::*`, `BZ2_bz{Compress,Decompress}`.
//!
//! Names are no paths: `*` matches any text, `::` and `/` included, so nothing of what makes globs over files a library's work
//! is wanted here.

/// A glob that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    text: String,
    /// What stands for one of `{…}` each: a name that matches one of them matches.
    choices: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// `*`.
    Any,
    /// `?`.
    One,
    /// `[a-z_]`, `[!0-9]`.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
    Char(char),
}

/// Most ways to choose: `{a,b}` over and over would make any number.
const MOST: usize = 1 << 10;

impl Glob {
    /// # Errors
    ///
    /// Why it is no glob, as a fragment.
    pub(crate) fn new(text: &str) -> Result<Glob, String> {
        let mut chars = text.chars();
        let (choices, end) = sequence(&mut chars, 0)?;
        match end {
            None => Ok(Glob { text: text.to_owned(), choices }),
            Some(end) => Err(format!("`{end}` without `{{`; write `[{end}]` for the character")),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_match(&self, name: &str) -> bool {
        self.choices.iter().any(|pieces| matches(pieces, name))
    }

    /// What every match starts with.
    pub(crate) fn prefix(&self) -> &str {
        self.text.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default()
    }
}

type Chars<'t> = std::str::Chars<'t>;

/// Pieces up to the end, or to the `,` or `}` of the alternatives around, which is returned.
fn sequence(chars: &mut Chars<'_>, depth: usize) -> Result<(Vec<Vec<Piece>>, Option<char>), String> {
    let mut choices = vec![Vec::new()];
    while let Some(next) = chars.next() {
        let piece = match next {
            '*' => Piece::Any,
            '?' => Piece::One,
            '[' => class(chars)?,
            '{' => {
                choices = chosen(&choices, &alternatives(chars, depth + 1)?)?;
                continue;
            }
            ',' if depth > 0 => return Ok((choices, Some(next))),
            '}' => return Ok((choices, Some(next))),
            '\\' => Piece::Char(chars.next().ok_or("a `\\` with nothing behind it; write `[\\]` for the character")?),
            other => Piece::Char(other),
        };
        choices.iter_mut().for_each(|pieces| pieces.push(piece.clone()));
    }
    Ok((choices, None))
}

/// The rest of `{a,b}`.
fn alternatives(chars: &mut Chars<'_>, depth: usize) -> Result<Vec<Vec<Piece>>, String> {
    const DEEPEST: usize = 16;
    if depth > DEEPEST {
        return Err(format!("`{{` in more than {DEEPEST} others"));
    }
    let mut all = Vec::new();
    loop {
        let (choices, end) = sequence(chars, depth)?;
        all.extend(choices);
        match end {
            Some('}') => return Ok(all),
            Some(_) => {}
            None => return Err("`{` without `}`; write `[{]` for the character".to_owned()),
        }
    }
}

fn chosen(before: &[Vec<Piece>], behind: &[Vec<Piece>]) -> Result<Vec<Vec<Piece>>, String> {
    if before.len() * behind.len() > MOST {
        return Err(format!("more than {MOST} ways to choose from its `{{…}}`"));
    }
    let ways = before.iter().flat_map(|before| behind.iter().map(move |behind| [&before[..], behind].concat()));
    Ok(ways.collect())
}

/// The rest of `[…]`. A `]` at its very beginning is one of its characters.
fn class(chars: &mut Chars<'_>) -> Result<Piece, String> {
    const OPEN: &str = "`[` without `]`; write `[[]` for the character";
    let not = chars.as_str().starts_with(['!', '^']);
    if not {
        chars.next();
    }
    let mut ranges = Vec::new();
    loop {
        let first = chars.next().ok_or(OPEN)?;
        if first == ']' && !ranges.is_empty() {
            return Ok(Piece::Class { not, ranges });
        }
        let rest = chars.as_str();
        let last = match rest.strip_prefix('-') {
            Some(after) if !after.starts_with(']') => {
                chars.next();
                chars.next().ok_or(OPEN)?
            }
            _ => first,
        };
        if last < first {
            return Err(format!("the range `{first}-{last}` is empty"));
        }
        ranges.push((first, last));
    }
}

/// A `*` takes as little as it can, and one more each time that what comes behind the last one does not fit.
fn matches(pieces: &[Piece], name: &str) -> bool {
    let (mut pieces, mut rest) = (pieces, name);
    let mut last_any: Option<(&[Piece], &str)> = None;
    loop {
        match pieces.split_first() {
            Some((Piece::Any, behind)) => {
                last_any = Some((behind, rest));
                pieces = behind;
                continue;
            }
            Some((piece, behind)) => {
                let mut chars = rest.chars();
                if chars.next().is_some_and(|next| piece.is_match(next)) {
                    (pieces, rest) = (behind, chars.as_str());
                    continue;
                }
            }
            None if rest.is_empty() => return true,
            None => {}
        }
        let Some((behind, from)) = last_any else { return false };
        let mut chars = from.chars();
        if chars.next().is_none() {
            return false;
        }
        last_any = Some((behind, chars.as_str()));
        (pieces, rest) = (behind, chars.as_str());
    }
}

impl Piece {
    fn is_match(&self, next: char) -> bool {
        match self {
            Piece::Any | Piece::One => true,
            Piece::Class { not, ranges } => ranges.iter().any(|(first, last)| (*first..=*last).contains(&next)) != *not,
            Piece::Char(char) => *char == next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(glob: &str, matching: &[&str], others: &[&str]) {
        let glob = Glob::new(glob).unwrap();
        let wrong = |names: &[&str], expected: bool| -> Vec<String> {
            names.iter().filter(|name| glob.is_match(name) != expected).map(|name| (*name).to_owned()).collect()
        };
        assert_eq!((wrong(matching, true), wrong(others, false)), (Vec::new(), Vec::new()), "{glob:?}");
    }

    #[test]
    fn matches_names() {
        check("inflate", &["inflate"], &["", "inflat", "inflate2", "xinflate"]);
        check("inflate*", &["inflate", "inflateEnd"], &["xinflate"]);
        check("my::*", &["my::", "my::legacy::io::read", "my::a/b"], &["my:", "other::my::a"]);
        check("*", &["", "a", "ä/::"], &[]);
        check("**", &["", "a::b"], &[]);
        check("*aab*b", &["aaabb", "aabb", "aabab", "xaabyaabzb"], &["aab", "aaabbc"]);
        check("a?c", &["abc", "aäc"], &["ac", "abbc"]);
        check("[a-cx]_[!0-9]", &["a_x", "x__", "b_ä"], &["d_x", "a_1", "a_"]);
        check("[]-]", &["]", "-"], &["[", ""]);
        check("[^a]", &["b"], &["a"]);
        check("BZ2_{bz{Read,Write},*}End", &["BZ2_bzReadEnd", "BZ2_bzWriteEnd", "BZ2_End"], &["BZ2_bzRead"]);
        check("{,a}b,c", &["b,c", "ab,c"], &["b", "a"]);
        check(r"a\*[*]", &["a**"], &["ab*"]);
    }

    #[test]
    fn says_what_is_no_glob() {
        let why = |glob: &str| Glob::new(glob).unwrap_err();
        let all = ["a[b", "a[", "a{b", "a{b,", "a}", "[z-a]", "a\\", &"{".repeat(20), &"{a,b}".repeat(12)].map(why);
        insta::assert_snapshot!(all.join("\n"), @r"
        `[` without `]`; write `[[]` for the character
        `[` without `]`; write `[[]` for the character
        `{` without `}`; write `[{]` for the character
        `{` without `}`; write `[{]` for the character
        `}` without `{`; write `[}]` for the character
        the range `z-a` is empty
        a `\` with nothing behind it; write `[\]` for the character
        `{` in more than 16 others
        more than 1024 ways to choose from its `{…}`
        ");
    }

    /// Where a matcher that tries everything would not come back.
    #[test]
    fn is_done_soon() {
        check(&"*a".repeat(200), &[&"a".repeat(10_000)], &[&format!("{}b", "a".repeat(10_000))]);
    }
}
