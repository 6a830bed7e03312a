//! A mistake in the policy file, with its place.

use std::ops::Range;

/// What is wrong, where, and what to do. Every stage that reads the policy collects these, so that one run shows them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyError {
    /// What is wrong: a lowercase fragment.
    pub(crate) message: String,
    /// Bytes of the policy text that say it.
    pub(crate) span: Range<usize>,
    /// A few words for the place itself.
    pub(crate) label: Option<String>,
    /// What else there is to know, a line each.
    pub(crate) notes: Vec<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl PolicyError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: None, notes: Vec::new(), help: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The notes and the help, as they are drawn.
    pub(crate) fn all_notes(&self) -> Vec<String> {
        let help = self.help.iter().map(|help| format!("help: {help}"));
        self.notes.iter().cloned().chain(help).collect()
    }

    /// Names the candidate most like `word` in the help, where there is one.
    pub(crate) fn did_you_mean<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match crate::nearest::nearest(word, candidates) {
            Some(candidate) => self.help(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }
}
