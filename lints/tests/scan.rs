//! What `scan` finds, one construct per case: `tests/cases/<name>.rs` and its facts in `tests/snapshots/`.

use isolate_lints::facts::{CallFact, FileFacts, ForeignKind, Origin, Param, Scope, SmolStr, Span};
use isolate_lints::{Edition, scan};
use std::fmt::Write;
use std::path::Path;

#[test]
fn cases() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        // A case of an older edition says so in its first line.
        let year = text.strip_prefix("// edition: ").and_then(|rest| rest.get(..4));
        let edition = year.map_or(Edition::E2024, |year| year.parse().unwrap());
        let facts = scan(&text, edition);
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(facts.unexplained(), 0, "unsafe keywords of {name} that no fact accounts for");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, render(&text, &facts));
        });
    }
}

/// One line per fact, with the text its span covers.
fn render(text: &str, facts: &FileFacts) -> String {
    let mut out = String::new();
    let line = |out: &mut String, section: &str, span: &Span, scope: &Scope, rest: &str| {
        let shown = &text[span.start as usize..span.end as usize];
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let scope = render_scope(scope);
        writeln!(out, "{section} {}:{} `{shown}`{scope} {rest}", span.line, span.column).unwrap();
        *out = out.trim_end().to_owned() + "\n";
    };
    for fact in &facts.unsafes {
        let kind = serde_json::to_value(fact.kind).unwrap();
        let mut rest = format!("name={:?}", fact.name.as_deref().unwrap_or("-"));
        if fact.public {
            rest += " pub";
        }
        if !fact.keyword {
            rest += " no-keyword";
        }
        if let Some(safety) = &fact.safety {
            write!(rest, " safety={safety:?}").unwrap();
        }
        line(&mut out, kind.as_str().unwrap(), &fact.span, &fact.scope, &rest);
        for operation in &fact.operations {
            let kind = serde_json::to_value(operation.kind).unwrap();
            let what = operation.what.as_deref().unwrap_or("-");
            line(&mut out, "    op", &operation.span, &Scope::default(), &format!("{} {what}", kind.as_str().unwrap()));
        }
    }
    for item in &facts.foreign {
        let signature = render_kind(&item.item);
        let rest = format!(
            "{} {signature} abi={:?} link_name={:?} library={:?} vis={:?} safe={}",
            item.name, item.abi, item.link_name, item.library, item.visibility, item.safe
        );
        line(&mut out, "foreign", &item.span, &item.scope, &rest);
    }
    let path =
        |out: &mut String, section: &str, call: &CallFact| line(out, section, &call.span, &call.scope, &call.path);
    facts.calls.iter().for_each(|call| path(&mut out, "call", call));
    facts.mentions.iter().for_each(|mention| path(&mut out, "mention", mention));
    for import in &facts.imports {
        let name = import.name.as_deref().unwrap_or("*");
        let public = if !import.visibility.is_empty() { "pub " } else { "" };
        let place = format!("{}{}", import.scope.modules.join("::"), render_function(&import.scope.function));
        writeln!(out, "{public}use {} as {name} in [{place}]", import.path).unwrap();
    }
    for module in &facts.modules {
        line(
            &mut out,
            "mod",
            &module.span,
            &Scope { cfgs: module.cfgs.clone(), ..Scope::default() },
            &format!("{module:?}").replace(&format!("{:?}", module.span), "_"),
        );
    }
    for item in &facts.definitions {
        let owner = item.owner.as_ref().map(|owner| format!("{owner}::")).unwrap_or_default();
        let rest = format!(
            "{owner}{} {} abi={:?} symbol={:?} guarded={}",
            item.name,
            render_kind(&item.item),
            item.abi,
            item.symbol,
            item.guarded
        );
        line(&mut out, "definition", &item.span, &item.scope, &rest);
        for panic in &item.panics {
            line(&mut out, "    panic", &panic.span, &Scope::default(), &format!("{:?} {}", panic.kind, panic.what));
        }
    }
    let at = |start: u32| facts.calls.iter().find(|call| call.span.start == start).map_or("?", |call| &call.path);
    for argument in &facts.arguments {
        line(
            &mut out,
            "argument",
            &argument.span,
            &argument.scope,
            &format!("{} of {}", argument.path, at(argument.call)),
        );
    }
    for transmute in &facts.transmutes {
        let ty = |ty: &Option<String>| ty.clone().unwrap_or_else(|| "_".to_owned());
        let types = format!("{} -> {}", ty(&transmute.from), ty(&transmute.to));
        line(&mut out, "transmute", &transmute.span, &transmute.scope, &types);
    }
    for trust in &facts.trusts {
        let origins = trust.origins.iter().map(|origin| match origin {
            Origin::Returned(start) => format!("returned by {}", at(*start)),
            Origin::Written(start) => format!("written by {}", at(*start)),
            Origin::Parameter => "parameter".to_owned(),
        });
        let origins = origins.collect::<Vec<_>>().join(", ");
        let rest = format!("{:?} {} from [{origins}] checked={}", trust.kind, trust.what, trust.checked);
        line(&mut out, "trust", &trust.span, &trust.scope, &rest);
    }
    for item in &facts.types {
        writeln!(out, "type {item:?}").unwrap();
    }
    for constant in &facts.constants {
        writeln!(out, "const {}: {} = {} in {:?}", constant.name, constant.ty, constant.value, constant.modules)
            .unwrap();
    }
    for error in &facts.errors {
        line(&mut out, "error", &error.span, &Scope::default(), &error.message);
    }
    for call in &facts.unexpanded {
        line(&mut out, "unexpanded", &call.span, &call.scope, &format!("{}!({})", call.name, call.argument));
    }
    out
}

fn render_kind(item: &ForeignKind) -> String {
    match item {
        ForeignKind::Function { params, ret, variadic } => {
            let ret = ret.as_deref().unwrap_or("()");
            format!("fn({}) -> {ret}{}", render_params(params), if *variadic { " variadic" } else { "" })
        }
        ForeignKind::Static { ty, mutable } => format!("static {}{ty}", if *mutable { "mut " } else { "" }),
    }
}

fn render_scope(scope: &Scope) -> String {
    let mut out = String::new();
    if !scope.modules.is_empty() || scope.function.is_some() {
        write!(out, " in {}{}", scope.modules.join("::"), render_function(&scope.function)).unwrap();
    }
    if !scope.cfgs.is_empty() {
        write!(out, " cfg[{}]", scope.cfgs.join(" && ")).unwrap();
    }
    if let Some(name) = &scope.in_macro {
        write!(out, " macro {name}!").unwrap();
    }
    out
}

fn render_function(function: &Option<SmolStr>) -> String {
    function.as_ref().map(|name| format!("/{name}")).unwrap_or_default()
}

fn render_params(params: &[Param]) -> String {
    params
        .iter()
        .map(|param| format!("{}: {}", param.name.as_deref().unwrap_or("_"), param.ty))
        .collect::<Vec<_>>()
        .join(", ")
}
