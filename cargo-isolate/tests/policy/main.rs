//! The policy as users meet it: combined, enforced, and changed over time.

mod init;
mod members;
mod mistakes;
mod rehearsal;
mod repositories;
mod trends;
mod workspace;
