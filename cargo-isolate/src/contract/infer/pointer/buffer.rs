//! Bytes and numbers: how many there are, and which way they go.

use super::{
    Pointer,
    stub::{asked, asked_of},
};
use crate::contract::{
    Contract, Dir, Lasting,
    check::Param,
    expr::Expr,
    infer::{
        Inference, Nature, Refusal, Tier, found,
        lengths::{is_bytes, is_general, plain, sounds_like_length},
        library::sounds_like_result,
        refused,
        units::{Doubt, words},
    },
    shape::Shape,
};

/// What outlives a call.
pub(super) struct Keeper {
    pub(super) name: String,
    /// By this call.
    is_made: bool,
    /// What it holds is not to be seen.
    is_hidden: bool,
}

impl Pointer<'_> {
    /// `*const` numbers: an input buffer if its length is beyond doubt.
    pub(super) fn input(&self) -> Inference {
        let name = self.name();
        if let Some(inference) = self.by_others() {
            return inference;
        }
        if self.to.is_byte() && words(name).last().is_some_and(|last| last == "fourcc") {
            let contract =
                Contract::Buf { dir: Dir::In, len: Expr::Int(4), written: None, nullable: false, until: Lasting::Call };
            return found(contract, Tier::Likely, "a code of four characters, by its name".to_owned());
        }
        let next = self.next_length();
        if let Some(length) = self.own_length().or(next.filter(|_| !self.shares_length()))
            && let Some(doubt) = self.doubt(length)
        {
            return self.doubted("kind = \"buf\", dir = \"in\", len", length, &doubt);
        }
        if let Some(length) = self.own_length() {
            let evidence = format!("`*const` with a length named after it, `{}`", length.name);
            return self.unless_kept(buf(Dir::In, &length.name), evidence);
        }
        if let Some(length) = next
            && !self.shares_length()
        {
            if self.is_name_of_something(length) {
                let reason = format!("is `{}` the length of `{name}`, or of what it names?", length.name);
                return refused(
                    reason,
                    Some(&asked_of("{ kind = \"buf\", dir = \"in\", len = \"LENGTH\" }", &[length])),
                );
            }
            let evidence = format!("`*const` followed by a length, `{}`", length.name);
            return self.unless_kept(buf(Dir::In, &length.name), evidence);
        }
        refused(
            format!("`{}{}`, and no parameter is certainly the length of `{name}`", self.star(), self.to),
            Some(&self.start("kind = \"buf\", dir = \"in\", len", next)),
        )
    }

    /// `(chunk_name, length)`: by its name a tag, and a length that does not say whose it is.
    fn is_name_of_something(&self, length: &Param) -> bool {
        const NAMES: [&str; 7] = ["name", "tag", "fourcc", "magic", "id", "type", "kind"];
        let last = words(self.name()).pop();
        is_general(&plain(&length.name)) && last.is_some_and(|last| NAMES.contains(&&*last))
    }

    /// As many as lie between the first and the last, which no parameter says alone.
    pub(super) fn strided(&self, stride: &Param) -> Inference {
        let dir = if self.mutable { "inout" } else { "in" };
        refused(
            format!("elements that lie `{}` apart: how many are there from the first to the last?", stride.name),
            Some(&format!(
                "{{ kind = \"buf\", dir = \"{dir}\", len = \"LENGTH\" }}  # LENGTH: an expression or a number"
            )),
        )
    }

    /// An input is lent for the call. Where the function also gets an object, or makes one, it may keep the pointer in there,
    /// and no signature says so.
    pub(super) fn unless_kept(&self, contract: Contract, evidence: String) -> Inference {
        // `refPrefix(context, prefix)`; `push_ref` is about something that is called so.
        let refers =
            words(&self.signature.name).windows(2).any(|pair| pair[0] == "ref" && pair[1] == plain(self.name()));
        if refers {
            return refused(format!("by its name `{}` keeps the pointer, beyond the call", self.signature.name), None);
        }
        // `OSSL_PARAM_construct_uint(key, buf)`: where else would it be wanted than in there?
        if let Some(Shape::Struct { path, hindrance: Some(_), flat: false }) = &self.signature.ret {
            return Inference::Refused(Refusal {
                reason: format!(
                    "{evidence}; but a `{}` is returned, which holds pointers: is it one of them?",
                    path.name
                ),
                candidate: Some(format!("{}  # if the pointer is not kept", contract.to_toml())),
                is: Some(Nature::Lent),
            });
        }
        let tier = if self.keeper().is_some() { Tier::Likely } else { Tier::Convention };
        self.unless_set_up(contract, tier, evidence)
    }

    /// `BIO_new_mem_buf(buf, len)`, `LZ4_setStreamDecode(stream, dictionary, dictSize)`: what makes an object of bytes, or sets one
    /// up with them, keeps them as often as it copies them.
    fn unless_set_up(&self, contract: Contract, tier: Tier, evidence: String) -> Inference {
        const WORDS: [&str; 11] =
            ["set", "set0", "init", "reset", "start", "begin", "attach", "use", "bind", "setup", "register"];
        let function = &self.signature.name;
        let said = words(function);
        // `jpeg_mem_src`: what is read from later.
        let is_end = said.last().is_some_and(|last| ["src", "dest", "source", "sink"].contains(&&**last));
        let sets = is_end || said.iter().any(|word| WORDS.contains(&&**word));
        let keeper = self.keeper().filter(|keeper| keeper.is_made || sets && keeper.is_hidden);
        match keeper.filter(|_| self.is_stock() && matches!(contract, Contract::Buf { .. })) {
            Some(Keeper { name: keeper, is_made, .. }) => {
                let does = if is_made { "makes" } else { "sets up" };
                let owner = keeper.strip_prefix('`').and_then(|name| name.strip_suffix('`')).unwrap_or("ret");
                Inference::Refused(Refusal {
                    reason: format!(
                        "{evidence}; but `{function}` {does} {keeper}: does that keep the pointer, beyond the call?"
                    ),
                    candidate: Some(format!(
                        "{}  # if the pointer is not kept; if it is, until = \"free:{owner}\" as well",
                        contract.to_toml()
                    )),
                    is: Some(Nature::Lent),
                })
            }
            None => found(contract, tier, evidence),
        }
    }

    /// Whatever there is in it, or room to write: nobody copies that without need, as one does text, keys and a few numbers.
    fn is_stock(&self) -> bool {
        const SMALL: [&str; 13] = [
            "key",
            "pass",
            "passwd",
            "password",
            "passphrase",
            "kstr",
            "salt",
            "iv",
            "nonce",
            "seed",
            "digest",
            "dgst",
            "hash",
        ];
        let is_small = words(self.name()).last().is_some_and(|last| SMALL.contains(&&**last));
        let is_text = *self.to == Shape::Char && !is_bytes(self.name());
        self.mutable || self.to.is_byte() && !is_small && !is_text
    }

    /// What outlives the call, and could hold on to a pointer.
    pub(super) fn keeper(&self) -> Option<Keeper> {
        let library = self.known.library;
        let is_object = |to: &Shape| matches!(to, Shape::Opaque(_) | Shape::Struct { .. });
        let of_param = |param: &Param| {
            let (mutable, to) = param.shape.pointee()?;
            let is_named = *to == Shape::Void && library.maker_of(&param.ty).is_some();
            let is_made = match to {
                Shape::Pointer { mutable: true, to: object, .. } => {
                    let name = param.ty.trim().strip_prefix("*mut ");
                    is_object(object) || name.is_some_and(|name| library.maker_of(name).is_some())
                }
                _ => false,
            };
            let is_kept = is_named || is_made || is_object(to) || param.shape.is_newtype();
            let is_hidden = !matches!(to, Shape::Struct { hindrance: None, .. });
            (mutable && is_kept).then(|| Keeper { name: format!("`{}`", param.name), is_made, is_hidden })
        };
        let others = self.signature.params.iter().enumerate().filter(|(index, _)| *index != self.index);
        let keepers: Vec<_> = others.filter_map(|(_, param)| of_param(param)).collect();
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee).filter(|(_, to)| is_object(to));
        let returned = returned.map(|_| Keeper { name: "what it returns".to_owned(), is_made: true, is_hidden: true });
        // What is made is more likely to hold on to it than what it is made with.
        let (made, there): (Vec<_>, Vec<_>) = keepers.into_iter().chain(returned).partition(|keeper| keeper.is_made);
        made.into_iter().chain(there).next()
    }

    /// `*mut` bytes: an output buffer only if the length bears its name. Staged as `inout`, since nothing says how much of it
    /// is written, and the rest must keep its value.
    pub(super) fn output(&self) -> Inference {
        if let Some(length) = self.own_length().or_else(|| self.general_length())
            && let Some(doubt) = self.doubt(length)
        {
            return self.doubted("kind = \"buf\", dir = \"inout\", len", length, &doubt);
        }
        if let Some(length) = self.own_length() {
            let evidence =
                format!("`*mut` bytes with a length named after it, `{}`; {}", length.name, self.unwritten());
            return self.unless_set_up(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        if let Some(length) = self.general_length() {
            let evidence = format!(
                "`*mut` bytes, the only ones, followed by the only length, `{}`; {}",
                length.name,
                self.unwritten()
            );
            return self.unless_set_up(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        let name = self.name();
        if let Some(cell) = self.length_cell() {
            let cell = &cell.name;
            return refused(
                format!("`{name}` with a length behind a pointer, `{cell}`: is `*{cell}` its capacity on entry?"),
                Some(&format!("{{ kind = \"buf\", dir = \"out\", cap = \"*{cell}\", written = \"*{cell}\" }}")),
            );
        }
        // Without an input beside it, it may be one itself.
        let is_room = self.next_length().is_some_and(|length| says_room(&length.name));
        let words = match self.has_input() || is_named_result(name) || is_room {
            true => "kind = \"buf\", dir = \"out\", cap",
            false => "kind = \"buf\", dir = \"inout\", len",
        };
        refused(
            format!("`{}{}`, and no parameter is certainly the length of `{name}`", self.star(), self.to),
            Some(&self.start(words, self.next_length())),
        )
    }

    /// What callers see of a buffer of which nothing says how much was written.
    fn unwritten(&self) -> &'static str {
        match self.signature.ret.as_ref().is_some_and(Shape::is_int) {
            true => "what is not written keeps its value (if it returns how much was, `written = \"ret\"` says so)",
            false => "what is not written keeps its value",
        }
    }

    /// `(buf, len)`, both by names that say nothing else, and no other buffer or length.
    pub(super) fn general_length(&self) -> Option<&Param> {
        const BUFFERS: [&str; 9] = ["buf", "buffer", "out", "output", "dst", "dest", "data", "bytes", "to"];
        let next = self.signature.params.get(self.index + 1)?;
        let only = self.lengths().all(|length| length.name == next.name || !sounds_like_length(&length.name));
        let is_it = BUFFERS.contains(&self.name()) && next.shape.is_int() && is_general(&next.name);
        (is_it && only && !self.has_rival() && !self.is_claimed(&next.name)).then_some(next)
    }

    /// It belongs to the buffer, and may count something else.
    pub(super) fn doubted(&self, words: &str, length: &Param, doubt: &Doubt) -> Inference {
        let reason = format!("`{}{}`: {}", self.star(), self.to, doubt.reason(&length.name));
        refused(reason, Some(&asked(words, &length.name, doubt)))
    }

    /// Bytes or numbers go in.
    pub(super) fn has_input(&self) -> bool {
        let mut params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        params.any(|(mutable, to)| !mutable && (to.is_byte() || to.is_number()))
    }

    /// Bytes come out: into a buffer, through a cursor, or as what is returned.
    pub(super) fn has_output(&self) -> bool {
        let params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        let by_param = params.into_iter().any(|(mutable, to)| match to {
            Shape::Pointer { to, .. } => mutable && to.is_byte(),
            to => mutable && to.is_byte(),
        });
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee);
        by_param || returned.is_some_and(|(_, to)| to.is_byte())
    }

    /// A length right behind another `*const` buffer, for which the rules will take it: `(src, len, dst)`.
    pub(super) fn follows_another(&self, length: &Param) -> bool {
        let params = &self.signature.params;
        let Some(at) = params.iter().position(|param| param.name == length.name) else { return false };
        let before = at.checked_sub(1).filter(|before| *before != self.index);
        before.is_some_and(|before| {
            let other = Pointer { index: before, ..*self };
            let is_input = |(mutable, to): (bool, &Shape)| !mutable && (to.is_byte() || to.is_number());
            params[before].shape.pointee().is_some_and(is_input)
                && other.next_length().is_some()
                && !other.shares_length()
        })
    }

    /// Another pointer may claim a length as well.
    pub(super) fn has_rival(&self) -> bool {
        let others = self.signature.params.iter().enumerate().filter(|(index, _)| *index != self.index);
        others.into_iter().any(|(_, param)| param.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number()))
    }
}

/// `cap`, `out_capacity`, `max_len`: how much there is room for, of nothing that is there.
fn says_room(length: &str) -> bool {
    words(length)
        .iter()
        .any(|word| ["cap", "capacity", "room", "max", "maxlen", "avail", "available"].contains(&&**word))
}

/// `out`, `result`, `dest`, `actual_nbytes_ret`.
pub(super) fn is_named_result(name: &str) -> bool {
    sounds_like_result(name)
        || ["result", "res", "ret", "output", "dst", "dest"].contains(&name)
        || ["_ret", "_result"].iter().any(|end| name.ends_with(end))
}

fn buf(dir: Dir, length: &str) -> Contract {
    Contract::Buf { dir, len: Expr::Name(length.to_owned()), written: None, nullable: false, until: Lasting::Call }
}
