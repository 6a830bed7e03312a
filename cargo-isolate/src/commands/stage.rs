//! The stages that all commands with a policy have in common.

use super::failure::Failure;
use crate::{
    graph::Graph,
    plan::{self, Plan},
    policy::{self, Loaded, PolicyFile},
    settle::settle,
    sources::Request,
};

/// A workspace and its policy, with the policy applied to the graph: which files are fresh wrappers, and which comments
/// count as safety comments.
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

    /// Like [`Workspace::open`], and also makes the plan. Mistakes in the plan are errors.
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
