//! What a policy must say to mean anything, as far as that shows without the workspace.

use super::{
    PolicyError,
    day::Day,
    duration,
    model::{Exception, Policy},
    size,
};
use globset::Glob;
use isolate_lints::rules;
use toml::Spanned;

/// The format that this version reads.
const VERSION: u32 = 1;

pub(super) fn check(policy: &Policy) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    version(policy, &mut errors);
    for rule in policy.rules.keys() {
        known_rule(rule, &mut errors);
    }
    for item in &policy.exception {
        exception(item.get_ref(), &mut errors);
    }
    domains(policy, &mut errors);
    errors
}

fn version(policy: &Policy, errors: &mut Vec<PolicyError>) {
    match &policy.version {
        None => {
            let error = PolicyError::new(0..0, "the policy does not say which version of the format it is written in");
            errors.push(error.help(format!("start the file with `version = {VERSION}`")));
        }
        Some(version) if *version.get_ref() != VERSION => {
            let found = version.get_ref();
            let error = PolicyError::new(version.span(), format!("version {found} of the policy format is not known"));
            errors.push(error.help(format!("this cargo-isolate reads version {VERSION}")));
        }
        Some(_) => {}
    }
}

fn known_rule(rule: &Spanned<String>, errors: &mut Vec<PolicyError>) {
    let name = rule.get_ref();
    if rules::find(name).is_none() {
        let error = PolicyError::new(rule.span(), format!("unknown rule `{name}`"));
        let error = error.help("`cargo isolate explain` lists the rules");
        errors.push(error.did_you_mean(name, rules::RULES.iter().map(|rule| rule.name)));
    }
}

fn exception(exception: &Exception, errors: &mut Vec<PolicyError>) {
    known_rule(&exception.rule, errors);
    glob(&exception.at, errors);
    if exception.reason.get_ref().trim().is_empty() {
        let error = PolicyError::new(exception.reason.span(), "an exception needs a reason");
        errors.push(error.help("say why the rule does not hold here, for whoever reviews it next"));
    }
    if let Some(until) = &exception.until
        && Day::try_from(until.get_ref()).is_err()
    {
        let error = PolicyError::new(until.span(), "expected a date without a time of day");
        errors.push(error.help("as in `until = 2027-01-31`, without quotes"));
    }
}

/// What the runtime has room for, in bytes (`isolate_rt::Domain::heap_limit`, `stack_size`).
const MAX_HEAP: u64 = 8 << 30;
const MAX_STACK: u64 = 1 << 30;

fn domains(policy: &Policy, errors: &mut Vec<PolicyError>) {
    for domain in policy.domain.values() {
        let heap = domain.heap.as_ref().map(|heap| (&heap.limit, MAX_HEAP));
        let stack = domain.stack.as_ref().map(|stack| (stack, MAX_STACK));
        for (text, most) in heap.into_iter().chain(stack) {
            match size::parse(text.get_ref()) {
                Err(expected) => errors.push(PolicyError::new(text.span(), "not a size").label(expected)),
                Ok(size) if size > most => {
                    let label = format!("at most {}GiB", most >> 30);
                    errors.push(PolicyError::new(text.span(), "more than a domain can have").label(label));
                }
                Ok(_) => {}
            }
        }
        if let Some(text) = &domain.deadline
            && let Err(expected) = duration::parse(text.get_ref())
        {
            errors.push(PolicyError::new(text.span(), "not a duration").label(expected));
        }
    }
    for isolate in policy.isolate.iter().map(Spanned::get_ref) {
        let name = isolate.domain.get_ref();
        if !policy.domain.contains_key(&isolate.domain) {
            let known = policy.domain.keys().map(|name| name.get_ref().as_str());
            let error = PolicyError::new(isolate.domain.span(), format!("no domain `{name}`"));
            errors.push(error.help(format!("declare it as `[domain.{name}]`")).did_you_mean(name, known));
        }
        for pattern in isolate.externs.iter().chain(&isolate.except) {
            glob(pattern, errors);
        }
    }
}

fn glob(pattern: &Spanned<String>, errors: &mut Vec<PolicyError>) {
    if let Err(error) = Glob::new(pattern.get_ref()) {
        errors.push(PolicyError::new(pattern.span(), format!("not a glob: {}", error.kind())));
    }
}
