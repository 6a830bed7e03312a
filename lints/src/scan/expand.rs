//! Expansion of `macro_rules!`, as far as it takes to see what a file's own macros declare.
//!
//! Bindings often declare foreign functions through a local macro, to write one list for several ABIs. Tokens are
//! indices of the file's raw tokens throughout, so every expanded token keeps its source position. Hygiene is not
//! implemented: names of items are unhygienic.

use crate::syntax::{Fragment, Source, SyntaxKind, T};
use SyntaxKind::*;
use std::collections::HashMap;

/// Expansions with more tokens than this are abandoned.
const LIMIT: usize = 1 << 18;

/// The rules of one `macro_rules!`.
pub(super) struct Macro {
    rules: Vec<Rule>,
}

struct Rule {
    /// `None` if the matcher contains something unsupported, such as `$` as a token.
    matcher: Option<Vec<Pattern>>,
    transcriber: Vec<u32>,
}

enum Pattern {
    Token(u32),
    Variable(String, Kind),
    Repeat { inner: Vec<Pattern>, separator: Option<u32>, at_least_one: bool, at_most_one: bool },
}

#[derive(Clone, Copy)]
enum Kind {
    Ident,
    Lifetime,
    Literal,
    TokenTree,
    Block,
    Parsed(Fragment),
}

enum Binding {
    Tokens(Vec<u32>),
    Repeated(Vec<Bindings>),
}

type Bindings = HashMap<String, Binding>;

impl Macro {
    /// Parses `(matcher) => {transcriber}; …`, the tokens between the outer delimiters; `None` if they have another
    /// form.
    pub(super) fn parse(source: &Source<'_>, body: &[u32]) -> Option<Macro> {
        let reader = Reader { source };
        let mut rules = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let matcher = reader.group(rest)?;
            let arrow = rest.get(matcher..matcher + 2)?;
            if reader.kind(arrow[0]) != T![=] || reader.kind(arrow[1]) != T![>] {
                return None;
            }
            let after = &rest[matcher + 2..];
            let transcriber = reader.group(after)?;
            rules.push(Rule {
                matcher: reader.patterns(&rest[1..matcher - 1]),
                transcriber: after[1..transcriber - 1].to_vec(),
            });
            rest = &after[transcriber..];
            if rest.first().is_some_and(|token| reader.kind(*token) == T![;]) {
                rest = &rest[1..];
            }
        }
        Some(Macro { rules })
    }

    /// The parts of the definition's body that are outside its transcribers.
    pub(super) fn matchers<'b>(&self, body: &'b [u32]) -> impl Iterator<Item = &'b [u32]> {
        // Raw tokens are numbered in the order of the file.
        let place = |raw: u32| body.partition_point(|other| *other < raw);
        let mut cuts = vec![0];
        for transcriber in self.rules.iter().map(|rule| &rule.transcriber) {
            if let [first, ..] = transcriber[..] {
                cuts.extend([place(first), place(first) + transcriber.len()]);
            }
        }
        cuts.push(body.len());
        let cuts: Vec<_> = cuts.chunks(2).map(|pair| pair[0]..pair[1]).collect();
        cuts.into_iter().map(|range| &body[range])
    }

    /// The transcribers, with macro variables as written.
    pub(super) fn transcribers(&self) -> impl Iterator<Item = &[u32]> {
        self.rules.iter().map(|rule| rule.transcriber.as_slice())
    }

    /// Expands a call with these tokens between its delimiters, by the first rule that matches.
    pub(super) fn expand(&self, source: &Source<'_>, arguments: &[u32]) -> Option<Vec<u32>> {
        let reader = Reader { source };
        // An unsupported rule may be the one that matches, so the rules after it cannot be used.
        let mut understood = self.rules.iter().map_while(|rule| Some((rule, rule.matcher.as_ref()?)));
        let (rule, bindings) = understood.find_map(|(rule, matcher)| {
            let mut bindings = Bindings::new();
            let taken = reader.take(matcher, arguments, &mut bindings)?;
            (taken == arguments.len()).then_some((rule, bindings))
        })?;
        let mut out = Vec::new();
        reader.transcribe(&rule.transcriber, &[&bindings], &mut out)?;
        Some(out)
    }
}

/// Reads token slices, whose only structure is that delimiters form groups.
struct Reader<'s, 't> {
    source: &'s Source<'t>,
}

impl Reader<'_, '_> {
    fn kind(&self, raw: u32) -> SyntaxKind {
        self.source.raw_kind(raw as usize)
    }

    fn text(&self, raw: u32) -> &str {
        self.source.raw_text(raw as usize)
    }

    /// Length of the delimited group that the tokens start with, delimiters included.
    fn group(&self, tokens: &[u32]) -> Option<usize> {
        group(self.source, tokens)
    }

    /// What follows `$(…)`: the separator if there is one, the operator, and the number of tokens of both.
    fn repetition(&self, tokens: &[u32]) -> Option<(Option<u32>, SyntaxKind, usize)> {
        let operator = |raw: u32| matches!(self.kind(raw), T![*] | T![+] | T![?]);
        match tokens {
            [first, ..] if operator(*first) => Some((None, self.kind(*first), 1)),
            [separator, second, ..] if operator(*second) => Some((Some(*separator), self.kind(*second), 2)),
            // `=>`, `::` and the like are two raw tokens, of which only the first is compared.
            [separator, _, third, ..] if operator(*third) => Some((Some(*separator), self.kind(*third), 3)),
            _ => None,
        }
    }

    fn patterns(&self, tokens: &[u32]) -> Option<Vec<Pattern>> {
        let mut patterns = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            if self.kind(*token) != T![$] {
                patterns.push(Pattern::Token(*token));
                at += 1;
            } else if self.kind(*rest.first()?) == T!['('] {
                let group = self.group(rest)?;
                let (separator, operator, taken) = self.repetition(&rest[group..])?;
                patterns.push(Pattern::Repeat {
                    inner: self.patterns(&rest[1..group - 1])?,
                    separator,
                    at_least_one: operator == T![+],
                    at_most_one: operator == T![?],
                });
                at += 1 + group + taken;
            } else {
                let [name, colon, fragment, ..] = rest else { return None };
                if self.kind(*colon) != T![:] {
                    return None;
                }
                patterns.push(Pattern::Variable(self.text(*name).to_owned(), kind(self.text(*fragment))?));
                at += 4;
            }
        }
        Some(patterns)
    }

    /// Matches patterns against the start of the tokens; returns the number of tokens consumed.
    fn take(&self, patterns: &[Pattern], tokens: &[u32], bindings: &mut Bindings) -> Option<usize> {
        let mut at = 0;
        for pattern in patterns {
            let rest = &tokens[at..];
            at += match pattern {
                Pattern::Token(expected) => {
                    let found = *rest.first()?;
                    let same = self.kind(found) == self.kind(*expected) && self.text(found) == self.text(*expected);
                    same.then_some(1)?
                }
                Pattern::Variable(name, kind) => {
                    let taken = self.variable(*kind, rest)?;
                    bindings.insert(name.clone(), Binding::Tokens(rest[..taken].to_vec()));
                    taken
                }
                Pattern::Repeat { inner, separator, at_least_one, at_most_one } => {
                    let (taken, rounds) = self.repeat(inner, *separator, *at_most_one, rest);
                    if *at_least_one && rounds.is_empty() {
                        return None;
                    }
                    bind_rounds(inner, rounds, bindings);
                    taken
                }
            };
        }
        Some(at)
    }

    fn repeat(
        &self,
        inner: &[Pattern],
        separator: Option<u32>,
        at_most_one: bool,
        tokens: &[u32],
    ) -> (usize, Vec<Bindings>) {
        let mut rounds = Vec::new();
        let mut at = 0;
        while !(at_most_one && rounds.len() == 1) {
            let mut start = at;
            if let (Some(separator), false) = (separator, rounds.is_empty()) {
                match tokens.get(start) {
                    Some(found) if self.text(*found) == self.text(separator) => start += 1,
                    _ => break,
                }
            }
            let mut bindings = Bindings::new();
            match self.take(inner, &tokens[start..], &mut bindings) {
                // A round that consumes nothing would repeat for ever.
                Some(taken) if taken > 0 => at = start + taken,
                _ => break,
            }
            rounds.push(bindings);
        }
        (at, rounds)
    }

    fn variable(&self, kind: Kind, tokens: &[u32]) -> Option<usize> {
        let Some(first) = tokens.first().map(|first| self.kind(*first)) else {
            return matches!(kind, Kind::Parsed(Fragment::Visibility)).then_some(0);
        };
        match kind {
            Kind::Ident => (first == IDENT || first.is_any_identifier() && first != T![_]).then_some(1),
            Kind::Lifetime => (first == LIFETIME_IDENT).then_some(1),
            Kind::Literal => {
                let minus = usize::from(first == T![-]);
                let literal = self.kind(*tokens.get(minus)?);
                (literal.is_literal() || matches!(literal, T![true] | T![false])).then_some(minus + 1)
            }
            Kind::TokenTree => match first {
                T![')'] | T![']'] | T!['}'] => None,
                _ => self.group(tokens).or(Some(1)),
            },
            Kind::Block => {
                if first == T!['{'] {
                    self.group(tokens)
                } else {
                    None
                }
            }
            // Parsing a fragment copies its input, so a long list would be copied for each of its elements.
            Kind::Parsed(fragment) => self.source.fragment(&tokens[..self.reach(fragment, tokens)], fragment),
        }
    }

    /// An upper bound on the length of a fragment: up to a separator outside groups that cannot be part of it.
    fn reach(&self, fragment: Fragment, tokens: &[u32]) -> usize {
        let mut at = 0;
        let mut angles = 0_usize;
        while at < tokens.len() {
            match self.kind(tokens[at]) {
                T![;] if !matches!(fragment, Fragment::Item) => return at,
                T![;] => return at + 1,
                T![<] => angles += 1,
                T![>] => angles = angles.saturating_sub(1),
                T![,] if angles == 0 && !matches!(fragment, Fragment::Item) => return at,
                _ => {}
            }
            let group = self.group(&tokens[at..]);
            let braces = self.kind(tokens[at]) == T!['{'];
            at += group.unwrap_or(1);
            if braces && matches!(fragment, Fragment::Item) {
                let semicolon = tokens.get(at).is_some_and(|token| self.kind(*token) == T![;]);
                return at + usize::from(semicolon);
            }
        }
        at
    }

    fn transcribe(&self, tokens: &[u32], scopes: &[&Bindings], out: &mut Vec<u32>) -> Option<()> {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            if self.kind(*token) != T![$] || rest.is_empty() {
                out.push(*token);
                at += 1;
            } else if self.kind(rest[0]) == T!['('] {
                let group = self.group(rest)?;
                let (separator, _, taken) = self.repetition(&rest[group..])?;
                self.transcribe_rounds(&rest[1..group - 1], separator, scopes, out)?;
                at += 1 + group + taken;
            } else if self.text(rest[0]) == "crate" {
                out.push(rest[0]);
                at += 2;
            } else {
                match lookup(scopes, self.text(rest[0])) {
                    Some(Binding::Tokens(bound)) => out.extend(bound),
                    Some(Binding::Repeated(_)) => return None,
                    None => out.extend([*token, rest[0]]),
                }
                at += 2;
            }
            if out.len() > LIMIT {
                return None;
            }
        }
        Some(())
    }

    fn transcribe_rounds(
        &self,
        inner: &[u32],
        separator: Option<u32>,
        scopes: &[&Bindings],
        out: &mut Vec<u32>,
    ) -> Option<()> {
        let variables = inner.windows(2).filter(|pair| self.kind(pair[0]) == T![$]).map(|pair| self.text(pair[1]));
        let rounds = variables.filter_map(|name| match lookup(scopes, name) {
            Some(Binding::Repeated(rounds)) => Some((name, rounds)),
            _ => None,
        });
        let repeated: Vec<_> = rounds.collect();
        let count = repeated.iter().map(|(_, rounds)| rounds.len()).max()?;
        for round in 0..count {
            if let (Some(separator), true) = (separator, round > 0) {
                out.push(separator);
            }
            let mut inner_scopes = scopes.to_vec();
            inner_scopes.extend(repeated.iter().filter_map(|(_, rounds)| rounds.get(round)));
            self.transcribe(inner, &inner_scopes, out)?;
        }
        Some(())
    }
}

/// Binds every variable inside a repetition to the list of its matches.
fn bind_rounds(inner: &[Pattern], rounds: Vec<Bindings>, bindings: &mut Bindings) {
    let mut names = Vec::new();
    collect_names(inner, &mut names);
    let mut by_name: HashMap<&str, Vec<Bindings>> = names.iter().map(|name| (*name, Vec::new())).collect();
    for mut round in rounds {
        for name in &names {
            let one = round.remove(*name).map(|binding| Bindings::from([((*name).to_owned(), binding)]));
            by_name.entry(name).or_default().push(one.unwrap_or_default());
        }
    }
    bindings.extend(by_name.into_iter().map(|(name, rounds)| (name.to_owned(), Binding::Repeated(rounds))));
}

fn collect_names<'p>(patterns: &'p [Pattern], names: &mut Vec<&'p str>) {
    for pattern in patterns {
        match pattern {
            Pattern::Variable(name, _) => names.push(name),
            Pattern::Repeat { inner, .. } => collect_names(inner, names),
            Pattern::Token(_) => {}
        }
    }
}

/// The innermost binding of a name.
fn lookup<'b>(scopes: &[&'b Bindings], name: &str) -> Option<&'b Binding> {
    scopes.iter().rev().find_map(|bindings| bindings.get(name))
}

fn kind(fragment: &str) -> Option<Kind> {
    Some(match fragment {
        "ident" => Kind::Ident,
        "lifetime" => Kind::Lifetime,
        "literal" => Kind::Literal,
        "tt" => Kind::TokenTree,
        "block" => Kind::Block,
        "ty" => Kind::Parsed(Fragment::Type),
        "path" => Kind::Parsed(Fragment::Path),
        "expr" | "expr_2021" => Kind::Parsed(Fragment::Expression),
        "pat" | "pat_param" => Kind::Parsed(Fragment::Pattern),
        "stmt" => Kind::Parsed(Fragment::Statement),
        "item" => Kind::Parsed(Fragment::Item),
        "meta" => Kind::Parsed(Fragment::Meta),
        "vis" => Kind::Parsed(Fragment::Visibility),
        _ => return None,
    })
}

/// Length of the delimited group that the tokens start with, delimiters included.
pub(super) fn group(source: &Source<'_>, tokens: &[u32]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match source.raw_kind(*token as usize) {
            T!['('] | T!['['] | T!['{'] => depth += 1,
            T![')'] | T![']'] | T!['}'] => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}
