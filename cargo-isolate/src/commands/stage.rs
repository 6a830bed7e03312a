//! The stages that every command of the policy starts with.

use super::failure::Failure;
use crate::{
    graph::Graph,
    plan::{self, Plan},
    policy::{self, Loaded, PolicyFile},
    settle::settle,
    sources::Request,
};

/// A workspace and its policy, and what that makes of the code: which files are wrappers as they should be, which comments argue.
pub(super) struct Workspace {
    pub(super) graph: Graph,
    pub(super) policy: Loaded,
}

impl Workspace {
    pub(super) fn open(request: &Request, file: &PolicyFile) -> Result<Workspace, Failure> {
        let mut workspace = Workspace::read(request, file)?;
        workspace.settle();
        Ok(workspace)
    }

    /// The same with the plan, which must have no mistake.
    pub(super) fn planned(request: &Request, file: &PolicyFile) -> Result<(Workspace, Plan), Failure> {
        let mut workspace = Workspace::read(request, file)?;
        let Workspace { graph, policy } = &workspace;
        let plan = plan::plan(graph, &policy.policy).map_err(|errors| policy.mistakes(errors))?;
        workspace.settle();
        Ok((workspace, plan))
    }

    fn read(request: &Request, file: &PolicyFile) -> Result<Workspace, Failure> {
        let graph = file.graph(request)?;
        let policy = policy::load(file, &graph)?;
        Ok(Workspace { graph, policy })
    }

    fn settle(&mut self) {
        settle(&mut self.graph, &self.policy);
    }
}
