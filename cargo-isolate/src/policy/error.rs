//! A mistake in the policy, with its position.

use std::ops::Range;

/// What is wrong, where, and what to do about it. Every stage that reads the policy collects these, so that one run
/// shows all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyError {
    /// What is wrong: a lowercase fragment.
    pub(crate) message: String,
    /// Byte range in the policy's text.
    pub(crate) span: Range<usize>,
    /// A short label for the position itself.
    pub(crate) label: Option<String>,
    /// Further information, one line each.
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

    /// The notes and the help, as they are printed.
    pub(crate) fn all_notes(&self) -> Vec<String> {
        let help = self.help.iter().map(|help| format!("help: {help}"));
        self.notes.iter().cloned().chain(help).collect()
    }

    /// Suggests the candidate most similar to `word` in the help, if there is one.
    pub(crate) fn did_you_mean<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match crate::nearest::nearest(word, candidates) {
            Some(candidate) => self.help(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }
}
