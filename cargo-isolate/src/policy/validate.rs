//! Validates a policy as far as that is possible without the workspace.

use super::{
    PolicyError, Spanned,
    model::{Domain, Exception, FnContract, Instances, Policy, Threads},
    read::Stated,
};
use isolate_lints::facts::{LONGEST_LABEL, is_label};

/// The version of the policy format that this program reads.
const VERSION: u32 = 1;

/// A mistake if the policy has another version of the format, in which case nothing else can be checked.
pub(super) fn other_version(policy: &Policy) -> Option<PolicyError> {
    let version = policy.version.as_ref().filter(|version| *version.get_ref() != VERSION)?;
    let found = *version.get_ref();
    let newer = if found > VERSION { "; a newer one reads this policy" } else { "" };
    let error = PolicyError::new(version.span(), format!("version {found} of the policy format is not known"));
    Some(error.help(format!("this cargo-isolate reads version {VERSION}{newer}")))
}

pub(super) fn check(policy: &Policy, stated: &Stated) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    if !stated.version {
        let error = PolicyError::new(0..0, "the policy does not say which version of the format it is written in");
        errors.push(error.help(format!("start the file with `version = {VERSION}`")));
    }
    for word in &policy.audit.safety_words {
        safety_word(word, &mut errors);
    }
    for item in &policy.exception {
        exception(item.get_ref(), &mut errors);
    }
    for domain in policy.domain.values() {
        sizes(domain, &mut errors);
        timer(domain, &mut errors);
        instances(domain, &mut errors);
        own_threads(domain, &mut errors);
    }
    for function in policy.functions.values() {
        retry(function, &mut errors);
    }
    if let Some(domains) = &stated.domains {
        for isolate in policy.isolate.iter().map(Spanned::get_ref) {
            let name = isolate.domain.get_ref();
            if !domains.contains(name) {
                let error = PolicyError::new(isolate.domain.span(), format!("no domain `{name}`"));
                let error = error.help(format!("declare it as `[domain.{name}]`"));
                errors.push(error.did_you_mean(name, domains.iter().map(String::as_str)));
            }
        }
    }
    errors
}

fn safety_word(word: &Spanned<String>, errors: &mut Vec<PolicyError>) {
    let text = word.get_ref();
    if !is_label(text) {
        let error = PolicyError::new(word.span(), "no comment begins with that")
            .label(format!("words of at most {LONGEST_LABEL} letters"));
        errors.push(error.help("write the words without the colon that stands behind them, such as `\"INVARIANT\"`"));
    }
}

fn exception(exception: &Exception, errors: &mut Vec<PolicyError>) {
    if exception.at.get_ref().text().trim().is_empty() {
        let error = PolicyError::new(exception.at.span(), "an exception needs a place");
        errors.push(error.help("write a glob over `crate::module::function`, such as `mycrate::legacy::*`"));
    }
    if exception.reason.get_ref().trim().is_empty() {
        let error = PolicyError::new(exception.reason.span(), "an exception needs a reason");
        errors.push(error.help("say why the rule does not hold here, for whoever reviews it next"));
    }
}

/// Limits of the runtime in bytes (`isolate_rt::Domain::heap_limit`, `stack_size`).
const MAX_HEAP: u64 = 8 << 30;
const MAX_STACK: u64 = 1 << 30;

/// Limit on the attempts of `isolate_rt::retry`.
const MAX_RETRY: u32 = 10;

/// Limit on `isolate_rt::Domain::threads_inside`.
const MAX_OWN_THREADS: u32 = 32;

fn retry(function: &FnContract, errors: &mut Vec<PolicyError>) {
    if let Some(retry) = function.retry.as_ref().filter(|retry| !(1..=MAX_RETRY).contains(retry.get_ref())) {
        let error = PolicyError::new(retry.span(), "no number of attempts").label(format!("1 to {MAX_RETRY}"));
        errors.push(error.help("leave it out where a call is made once"));
    }
}

fn timer(domain: &Domain, errors: &mut Vec<PolicyError>) {
    if let (Some(timer), None) = (&domain.timer, &domain.deadline) {
        let error = PolicyError::new(timer.span(), "a timer without a deadline").label("for nothing");
        errors.push(error.help("add `deadline = \"200ms\"`, or take it out"));
    }
}

fn instances(domain: &Domain, errors: &mut Vec<PolicyError>) {
    let (Some(threads), Some(instances)) = (&domain.threads, &domain.instances) else { return };
    if (*threads.get_ref(), *instances.get_ref()) == (Threads::One, Instances::Thread) {
        let error =
            PolicyError::new(instances.span(), "an instance for each thread, of a library that lets one thread in");
        let help = "remove one: instances per thread exist so that several threads can be inside at once";
        errors.push(error.label("against `threads = \"one\"`").help(help));
    }
}

fn own_threads(domain: &Domain, errors: &mut Vec<PolicyError>) {
    let Some(most) = &domain.own_threads else { return };
    if !(1..=MAX_OWN_THREADS).contains(most.get_ref()) {
        let error = PolicyError::new(most.span(), "no number of threads").label(format!("1 to {MAX_OWN_THREADS}"));
        errors.push(error.help("leave it out where a library starts none"));
    }
    if domain.threads.as_ref().is_some_and(|threads| *threads.get_ref() == Threads::One) {
        let error = PolicyError::new(most.span(), "threads of its own, of a library that lets one thread in");
        errors.push(error.label("against `threads = \"one\"`").help("leave one of the two out"));
    }
}

fn sizes(domain: &Domain, errors: &mut Vec<PolicyError>) {
    let heap = domain.heap.as_ref().and_then(|heap| heap.limit.as_ref()).map(|limit| (limit, MAX_HEAP));
    let stack = domain.stack.as_ref().map(|stack| (stack, MAX_STACK));
    for (size, most) in heap.into_iter().chain(stack) {
        if size.get_ref().0 > most {
            let label = format!("at most {}GiB", most >> 30);
            errors.push(PolicyError::new(size.span(), "more than a domain can have").label(label));
        }
    }
}
