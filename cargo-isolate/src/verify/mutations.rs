//! Wrappers that are broken on purpose, and whether what is played finds it. A change of a generated file is stale anyway;
//! these are for mistakes of the generator.

use super::{
    Runtime, Subject, prepare, run,
    run::{Act, Played},
    tests::{fixture, here, isolated},
};
use crate::process::Runner;

/// What is changed in a wrapper of the fixture, where it is a mistake.
struct Mutation {
    name: &'static str,
    function: &'static str,
    from: &'static str,
    to: &'static str,
    found: Found,
}

impl Mutation {
    fn of(&self, wrappers: &str) -> String {
        let Mutation { name, function, from, to, .. } = self;
        let start = wrappers.find(&format!("\npub fn {function}(")).expect("a wrapper");
        let (before, rest) = wrappers.split_at(start);
        let (wrapper, after) = rest.split_at(rest.find("\n}\n").expect("its end"));
        assert!(wrapper.contains(from), "`{name}` changes nothing in {wrapper}");
        [before, &wrapper.replace(from, to), after].concat()
    }
}

/// Where a mistake shows.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    /// In what a library that works gets, and gives: without isolation, too.
    Anywhere,
    /// Where a library misbehaves, in a domain.
    InDomain,
}
use Found::{Anywhere, InDomain};

const fn mutation(
    found: Found,
    name: &'static str,
    function: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutation {
    Mutation { name, function, from, to, found }
}

const MUTATIONS: [Mutation; 52] = [
    mutation(
        Anywhere,
        "numbers_swapped",
        "fill",
        "            source_len,\n            level,\n",
        "            level as _,\n            { let len: u64 = source_len; len as _ },\n",
    ),
    mutation(Anywhere, "number_forgotten", "fill", "            level,\n", "            0,\n"),
    mutation(
        Anywhere,
        "pointers_swapped",
        "fill",
        "            dest_room.as_mut_ptr(),\n            len.as_mut_ptr(),\n            source_ptr,\n",
        "            source_ptr.cast_mut(),\n            len.as_mut_ptr(),\n            dest_room.as_ptr(),\n",
    ),
    mutation(Anywhere, "length_of_the_other", "fill", "call.length(source.len())?", "call.length(source.len() * 2)?"),
    mutation(Anywhere, "length_fixed", "fill", "call.length(source.len())?", "call.length(64)?"),
    mutation(Anywhere, "capacity_too_large", "fill", "&[call.length(dest.len())?]", "&[call.length(dest.len() + 1)?]"),
    mutation(Anywhere, "capacity_zero", "fill", "&[call.length(dest.len())?]", "&[0]"),
    mutation(Anywhere, "nothing_copied_out", "fill", "call.take(dest_room, dest_written, dest);", ""),
    mutation(
        Anywhere,
        "less_copied_out",
        "fill",
        "call.take(dest_room, dest_written, dest)",
        "call.take(dest_room, dest_written / 2, dest)",
    ),
    mutation(
        Anywhere,
        "input_of_nothing",
        "fill",
        "call.input(source)?",
        "call.input(vec![0u8; source.len()].leak())?",
    ),
    mutation(Anywhere, "null_is_something", "describe", "None => std::ptr::null(),", "None => c\"\".as_ptr().cast(),"),
    mutation(
        Anywhere,
        "null_has_a_length",
        "describe",
        "at.map_or(0, |slice| slice.len())",
        "at.map_or(64, |slice| slice.len())",
    ),
    mutation(Anywhere, "end_too_far", "span", "wrapping_add(text.len())", "wrapping_add(text.len() + 1)"),
    mutation(Anywhere, "end_at_the_start", "span", "wrapping_add(text.len())", "wrapping_add(0)"),
    mutation(Anywhere, "place_at_the_start", "span", "text_ptr.wrapping_add(from)", "text_ptr.wrapping_add(from * 0)"),
    mutation(Anywhere, "place_always_there", "span", "from.map_or(std::ptr::null(), ", "from.map_or(text_ptr, "),
    mutation(
        Anywhere,
        "texts_forgotten",
        "join",
        "= texts\n        .iter()\n",
        "= texts[..texts.len().min(1)]\n        .iter()\n",
    ),
    mutation(Anywhere, "no_null_behind", "join", ".chain([Ok(std::ptr::null())])", ".chain([Ok(c\"\".as_ptr())])"),
    mutation(Anywhere, "null_among_texts", "join", "None => Ok(std::ptr::null()),", "None => Ok(c\"\".as_ptr()),"),
    mutation(
        Anywhere,
        "array_for_null",
        "join",
        "        None => None,\n    };\n",
        "        None => Some(call.inout(&titles_ptrs)?),\n    };\n",
    ),
    mutation(Anywhere, "rows_of_others", "rows", "call.input(slice)", "call.input(&[0u8; 64])"),
    mutation(Anywhere, "lengths_of_others", "rows", "call.length::<c_int>(slice.len())", "call.length::<c_int>(1)"),
    mutation(
        Anywhere,
        "one_room_for_all",
        "rows",
        ".map(|room| room.as_mut_ptr())",
        ".map(|_| planes_rooms[0].as_mut_ptr())",
    ),
    mutation(
        Anywhere,
        "rows_not_copied_out",
        "rows",
        "call.take(*room, call.count(planes_each), slice)",
        "call.take(*room, room.len().min(1), slice)",
    ),
    mutation(Anywhere, "lent_and_freed", "lend", "book.hold_as(\"words\", words_kept);", "drop(words_kept);"),
    mutation(
        Anywhere,
        "lent_and_superseded",
        "lend",
        "_words_kept_before = book.superseded(\"words\");",
        "book.hold_as(\"words\", None);\n    _words_kept_before = book.superseded(\"words\");",
    ),
    mutation(
        Anywhere,
        "lent_to_itself",
        "lend",
        "(Some(kept), pointer)",
        "(Some(kept), vec![0u16; 8192].leak().as_ptr())",
    ),
    mutation(
        Anywhere,
        "value_forgotten",
        "entry",
        "Ok((ret, entry))",
        "let _ = entry;\n    Ok((ret, unsafe { std::mem::zeroed() }))",
    ),
    mutation(
        Anywhere,
        "result_forgotten",
        "fill",
        "Ok((ret, dest_written))",
        "let _ = ret;\n    Ok((0, dest_written))",
    ),
    mutation(Anywhere, "values_swapped", "size", "Ok((width, height))", "Ok((height, width))"),
    mutation(Anywhere, "success_taken_for_an_error", "size", "if ret != 1 {", "if ret == 1 {"),
    mutation(Anywhere, "true_taken_for_an_error", "reopen", "if ret != 1 {", "if ret == 1 {"),
    mutation(Anywhere, "value_of_a_bool_function", "reopen", "Ok(count)", "Ok(!count)"),
    mutation(Anywhere, "one_success_for_another", "step", "Ok(ret)", "Ok(ret + 1)"),
    mutation(
        Anywhere,
        "count_not_copied_out",
        "pack",
        "call.take(dest_room, dest_written, dest)",
        "call.take(dest_room, dest_written.min(1), dest)",
    ),
    mutation(
        Anywhere,
        "option_of_another_form",
        "set_flag",
        "op, std::ptr::null_mut()",
        "op + 1, std::ptr::null_mut()",
    ),
    mutation(Anywhere, "something_for_null", "set_flag", "op, std::ptr::null_mut()", "op, std::ptr::dangling_mut()"),
    mutation(Anywhere, "factors_swapped", "paint", "width, height, stride)", "height, width, stride)"),
    mutation(
        Anywhere,
        "length_without_a_factor",
        "paint",
        "(height as i128)\n        .saturating_mul",
        "(height as i128 * height as i128)\n        .saturating_mul",
    ),
    mutation(
        Anywhere,
        "cursor_of_nothing",
        "turn",
        "call.input(next_in)?",
        "call.input(vec![0u8; next_in.len()].leak())?",
    ),
    mutation(
        Anywhere,
        "cursor_without_its_length",
        "turn",
        "call.length::<c_int>(next_in.len())?",
        "call.length::<c_int>(1)?",
    ),
    mutation(
        Anywhere,
        "room_of_the_other",
        "turn",
        "call.length::<c_int>(next_out.len())?",
        "call.length::<c_int>(next_out.len() + 1)?",
    ),
    mutation(Anywhere, "cursor_not_copied_out", "turn", "call.take(next_out_room, next_out_written, next_out);", ""),
    mutation(Anywhere, "line_not_copied_out", "line", "call.take(line_room, line_room.len(), line);", ""),
    mutation(Anywhere, "place_forgotten", "find", "Ok(ret)", "Ok(ret * 0)"),
    mutation(
        Anywhere,
        "failure_for_a_name",
        "name",
        "Ok(ret)",
        "let _ = ret;\n    Err(Error::from(call.failed(Null, None)))",
    ),
    mutation(
        InDomain,
        "faults_swallowed",
        "reset",
        "unsafe { call.run(move || ffi::reset()) }",
        "Ok(unsafe { call.run(move || ffi::reset()) }.unwrap_or_default())",
    ),
    mutation(InDomain, "count_believed", "fill", "call.within(call.count(len), dest_room.len())?", "call.count(len)"),
    mutation(
        InDomain,
        "text_believed",
        "describe",
        "unsafe { call.string(ret) }",
        "let _ = ret;\n    Ok(Some(c\"\".to_owned()))",
    ),
    mutation(InDomain, "bits_believed", "ready", "_ => None,", "_ => Some(true),"),
    mutation(
        InDomain,
        "handle_of_nothing",
        "open",
        "ffi::open(name_ptr)",
        "{ ffi::open(name_ptr); crate::inside::malloc(256).cast() }",
    ),
    // The last one takes the process along.
    mutation(
        InDomain,
        "past_the_gate",
        "reset",
        "unsafe { call.run(move || ffi::reset()) }",
        "let _ = &mut call;\n    Ok(unsafe { ffi::reset() })",
    ),
];

/// All in one package, each as a domain of its own. One at a time would be a build each. What the mutations leave as it is does the
/// same in each domain: only that it works is played.
fn played(folder: &str, mutations: &[&Mutation], direct: bool, acts: &[&str]) -> Played {
    let (graph, fixture) = fixture();
    let runtime = Runtime { runtime: here("../isolate-rt"), build: here("../isolate-rt/build") };
    let [(_, wrappers)] = &fixture.wrappers[..] else { panic!("one domain") };
    let mutated = mutations.iter().map(|mutation| {
        let name = mutation.name;
        let text = mutation.of(wrappers).replace("\"fixture\"", &format!("{name:?}"));
        let backend = if direct { ".backend(isolate_rt::Backend::None)\n    .heap_limit(" } else { ".heap_limit(" };
        (name.to_owned(), text.replace(".heap_limit(", backend))
    });
    let subject = Subject { wrappers: mutated.collect(), functions: fixture.functions, fragment: fixture.fragment };
    let stage = prepare(&graph, &subject, &runtime, here(folder), Vec::new()).expect("they compile");
    let mutated: Vec<_> =
        mutations.iter().map(|Mutation { name, function, .. }| format!("{name}/{function}")).collect();
    let arguments: Vec<_> = acts.iter().copied().chain(mutated.iter().map(String::as_str)).collect();
    // Without isolation any machine does.
    let runner = if direct { Runner::default() } else { Runner::of_tests() };
    run::play(&stage, &runner, &arguments).expect("cargo")
}

/// Each is found in its wrapper, and nowhere else.
#[track_caller]
fn check(mutations: &[&Mutation], acts: &[Act]) {
    for Mutation { name, function, .. } in mutations {
        let of_it: Vec<_> = acts.iter().filter(|act| act.domain == *name).collect();
        assert!(!of_it.is_empty(), "`{name}` was not played");
        let bad = of_it.iter().filter(|act| !act.good);
        let mut functions: Vec<_> = bad.map(|act| &*act.function).collect();
        functions.dedup();
        assert_eq!(functions, [*function], "{name}: {of_it:#?}");
    }
}

#[test]
fn what_a_library_gets_and_gives() {
    let all: Vec<_> = MUTATIONS.iter().filter(|mutation| mutation.found == Anywhere).collect();
    let Played::Acts(acts) = played("../target/isolate/tests/mutations", &all, true, &["honest"]) else {
        panic!("no machine refuses `Backend::None`")
    };
    check(&all, &acts);
}

#[test]
fn what_a_library_may_do() {
    // A process has fifteen keys, and what shows anywhere need not all be seen again.
    let again = ["numbers_swapped", "length_fixed", "end_too_far", "value_forgotten", "result_forgotten"];
    let all: Vec<_> =
        MUTATIONS.iter().filter(|mutation| mutation.found == InDomain || again.contains(&mutation.name)).collect();
    let played = played("../target/isolate/tests/hostile", &all, false, &[]);
    let Some(acts) = isolated(played) else { return };
    check(&all, &acts);
}
