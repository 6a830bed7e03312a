//! Error recovery: syntax errors, and `unsafe` keywords that the parser did not make part of a construct.

use super::{Scanner, safety};
use crate::facts::{ParseError, UnsafeFact, UnsafeKind};
use crate::syntax::{Node, SyntaxKind, T, Tree};
use SyntaxKind::*;
use std::collections::HashSet;
use std::ops::Range;

impl<'t> Scanner<'_, 't> {
    /// Records an `unsafe` on a field, or where the parser expected something else.
    pub(super) fn stray_keyword(&mut self, node: Node<'_, 't>) {
        for keyword in node.tokens().filter(|token| token.kind == T![unsafe]) {
            self.lone_keyword(keyword.raw as usize);
        }
    }

    /// Records a keyword outside any construct, as the kind of construct that the tokens after it would begin.
    fn lone_keyword(&mut self, raw: usize) {
        let mut behind = (raw + 1..self.source.len()).filter(|next| !self.source.raw_kind(*next).is_trivia());
        let mut next = || behind.next().map(|next| (self.source.raw_kind(next), self.source.raw_text(next)));
        let mut token = next();
        let foreign = matches!(token, Some((T![extern], _)));
        while matches!(token, Some((T![extern] | T![async] | STRING, _) | (_, "auto"))) {
            token = next();
        }
        let name = next().filter(|(kind, _)| *kind == IDENT).map(|(_, name)| name.into());
        let (kind, name) = match token {
            Some((T!['{'], _)) if foreign => (UnsafeKind::ExternBlock, None),
            Some((T!['{'], _)) => (UnsafeKind::Block, None),
            // Without a name it is a function pointer type.
            Some((T![fn], _)) if name.is_some() => (UnsafeKind::Function, name),
            Some((T![trait], _)) => (UnsafeKind::Trait, name),
            Some((T![impl], _)) => (UnsafeKind::Impl, None),
            _ => (UnsafeKind::Type, None),
        };
        let safety = safety::of_token(self.source, raw);
        self.record(UnsafeFact { name, safety, ..self.fact(kind, self.source.raw_range(raw)) });
    }

    pub(super) fn keyword_type(&mut self, keyword: Range<usize>) {
        self.record(self.fact(UnsafeKind::Type, keyword));
    }

    pub(super) fn errors(&mut self, tree: &Tree<'_, '_>) {
        let lexer = self.source.lex_errors().map(|(range, message)| (range, message.to_owned()));
        let parser = tree.errors().filter(|(_, message)| !self.source.allows(message));
        let parser = parser.map(|(offset, message)| (offset..offset, message.to_owned()));
        let mut errors: Vec<_> = lexer.chain(parser).collect();
        errors.sort_by_key(|(range, _)| range.start);
        let errors = errors
            .into_iter()
            .map(|(range, message)| ParseError { message: fragment(&message), span: self.lines.span(range) });
        self.facts.errors = errors.collect();
        // Further errors in the same line are mostly artefacts of recovery.
        self.facts.errors.dedup_by_key(|error| error.span.line);
    }

    /// After syntax errors the parser may leave a keyword outside any construct; it is recorded all the same.
    pub(super) fn left_by_recovery(&mut self, keywords: &[usize]) {
        let claimed: HashSet<u32> =
            self.facts.unsafes.iter().filter(|fact| fact.keyword).map(|fact| fact.span.start).collect();
        let start = |raw: usize| self.source.raw_range(raw).start as u32;
        let left: Vec<usize> = keywords.iter().copied().filter(|raw| !claimed.contains(&start(*raw))).collect();
        left.into_iter().for_each(|raw| self.lone_keyword(raw));
    }
}

/// The parser's message as a lowercase, single-line fragment, with tokens as they are written.
fn fragment(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let words: Vec<&str> = message.split(' ').map(token_text).collect();
    let message = words.join(" ");
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            format!("{}{}", first.to_lowercase(), &message[first.len_utf8()..])
        }
        _ => message,
    }
}

/// Translates the parser's names of tokens.
fn token_text(word: &str) -> &str {
    match word {
        "SEMICOLON" => "`;`",
        "COMMA" => "`,`",
        "COLON" => "`:`",
        "COLON2" => "`::`",
        "EQ" => "`=`",
        "FAT_ARROW" => "`=>`",
        "THIN_ARROW" => "`->`",
        "L_PAREN" => "`(`",
        "R_PAREN" => "`)`",
        "L_BRACK" => "`[`",
        "R_BRACK" => "`]`",
        "L_CURLY" => "`{`",
        "R_CURLY" => "`}`",
        "L_ANGLE" => "`<`",
        "R_ANGLE" => "`>`",
        "PIPE" => "`|`",
        "BANG" => "`!`",
        "IDENT" => "a name",
        "STRING" => "a string",
        "INT_NUMBER" => "a number",
        "IN_KW" => "`in`",
        "AS_KW" => "`as`",
        "FN_KW" => "`fn`",
        "FOR_KW" => "`for`",
        "WHILE_KW" => "`while`",
        _ => word,
    }
}
