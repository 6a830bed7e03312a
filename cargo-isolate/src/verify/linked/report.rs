//! The results of examining the objects and programs of a build, and their messages.

use super::{Constructors, Inside};
use crate::terminal::words::few;
use serde::Serialize;
use std::fmt;

/// The results of examining the objects and programs of a build.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Linked {
    /// The number of programs that contain isolated functions.
    pub(crate) programs: usize,
    /// The number of writable variables of isolated libraries that are inside their domain, in the program with the
    /// most of them.
    pub(crate) variables: usize,
    /// Where the code of each function comes from, by domain.
    pub(crate) served: Vec<Served>,
    pub(crate) problems: Vec<Problem>,
    /// Code and data outside the wrappers that refers to isolated functions.
    pub(crate) references: Vec<Outside>,
    /// Rust code that isolated libraries call.
    pub(crate) inside: Vec<Inside>,
    /// Code of isolated libraries that runs before `main`.
    pub(crate) constructors: Vec<Constructors>,
    /// What could not be examined, and why.
    pub(crate) unseen: Vec<String>,
}

/// Functions of a domain that come from the same place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Served {
    pub(crate) domain: String,
    #[serde(flatten)]
    pub(crate) by: Server,
    pub(crate) functions: Vec<String>,
}

/// Where the code of a function comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", content = "name", rename_all = "kebab-case")]
pub(crate) enum Server {
    /// Native code inside a library crate: the crate's package.
    Crate(String),
    /// A static archive: its file name.
    Archive(String),
    /// Shared objects that programs require.
    Shared(Vec<String>),
    /// No program has the function.
    Nobody,
    /// The last build has no native code that defines the function, and requires no library that could.
    Undefined,
}

/// A problem that makes calls end in faults.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub(crate) enum Problem {
    /// A name in `archives` that is no file of this build.
    NoSuchArchive { domain: String, archive: String, nearest: Option<String>, known: Vec<String> },
    /// An archive that comes with the compiler, for which a program uses the shared object instead.
    SharedInstead { domain: String, archive: String, program: String, object: String },
    /// Variables that the domain does not own and therefore cannot write.
    OutsideOfDomain { domain: String, program: String, variables: Vec<String>, from: Vec<Server> },
    /// Variables that exist once, of a library that is to have an instance per thread.
    SharedVariables { domain: String, variables: Vec<String> },
    /// Functions of a shared object whose variables the domain does not own.
    SharedObject { domain: String, program: String, functions: Vec<String>, needed: Vec<String> },
}

/// A reference to an isolated function from outside the wrappers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Outside {
    pub(crate) symbol: String,
    /// The function or variable that refers to it; `None` for a table without a name.
    pub(crate) by: Option<String>,
    /// The reference is an address in data, not in code.
    pub(crate) data: bool,
    /// The crate or program that contains the reference.
    pub(crate) within: String,
    /// An exception of the policy covers it.
    pub(crate) excepted: bool,
}

/// A one-line message. Other outputs show more.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoSuchArchive { domain, archive, nearest, known } => {
                write!(f, "`archives` of [domain.{domain}] names `{archive}`, which is no file of this build; ")?;
                match (nearest, &known[..]) {
                    (Some(nearest), _) => write!(f, "did you mean `{nearest}`?"),
                    (None, []) if archive.ends_with(".a") => {
                        f.write_str("no build script makes an archive here: leave `archives` out")
                    }
                    (None, []) => f.write_str("no program asks for shared objects"),
                    (None, known) => write!(f, "there are {}", few(known)),
                }
            }
            Problem::SharedInstead { domain, archive, program, object } => write!(
                f,
                "`archives` of [domain.{domain}] names `{archive}`, and `{program}` has `{object}` instead: link it statically \
                 (of C++ with the `cc` crate: `.cpp_link_stdlib_static(true)`)"
            ),
            Problem::SharedVariables { domain, variables } => {
                write!(
                    f,
                    "`instances = \"thread\"` of [domain.{domain}] is for libraries without variables of their own, and this one has {}: \
                     the first call is an error where a program has them",
                    few(variables)
                )
            }
            Problem::OutsideOfDomain { domain, program, variables, .. } => {
                write!(f, "`{program}`: outside of the domain `{domain}`: {}", few(variables))
            }
            Problem::SharedObject { domain, program, functions, .. } => {
                let come = if functions.len() == 1 { "comes" } else { "come" };
                write!(f, "`{program}`: {} of the domain `{domain}` {come} from a shared object", few(functions))
            }
        }
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Served { domain, by, functions } = self;
        let functions = few(functions);
        match by {
            Server::Crate(package) => write!(f, "{domain}: native code in the crate of `{package}` serves {functions}"),
            Server::Archive(name) => write!(f, "{domain}: `{name}` serves {functions}"),
            Server::Shared(objects) => {
                write!(f, "{domain}: a shared object serves {functions}: {}", objects.join(" or "))
            }
            Server::Nobody => write!(f, "{domain}: no program has {functions}"),
            Server::Undefined => write!(f, "{domain}: no native code of the last build defines {functions}"),
        }
    }
}
