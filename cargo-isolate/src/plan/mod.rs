//! Which foreign functions the policy isolates, and what each of their pointers means: the noun that wrappers are made of.

mod candidates;
mod clang;
mod crossing;
mod domains;
mod entry;
mod explain;
mod forms;
mod functions;
mod hopeless;
mod ineffective;
mod isolated;
mod keepers;
mod make;
mod mentions;
mod numbers;
mod ownership;
mod places;
mod planned;
mod reach;
mod renamed;
mod roles;
mod select;
mod standing;
mod statements;
mod stub;
mod surroundings;
mod text;
mod unsettled;

pub(crate) use candidates::any_of;
pub(crate) use clang::{Declarations, Seen, Wrong, declarations};
pub(crate) use crossing::{Crossing, element};
pub(crate) use explain::{NoSuchFunction, explain};
pub(crate) use isolated::Isolated;
pub(crate) use make::plan;
pub(crate) use planned::{
    Bind, Decision, Declared, DomainPlan, Form, FunctionPlan, Library, ObjectPlan, ParamPlan, Plan, RetPlan, Role,
    Ships,
};
pub(crate) use text::{print, print_hopeless};
pub(crate) use unsettled::unsettled;

#[cfg(test)]
mod measured;
#[cfg(test)]
mod tests;
