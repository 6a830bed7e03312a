//! The policy as users meet it: combined, enforced, and changed over time.

mod init;
mod members;
mod rehearsal;
mod trends;
mod workspace;
