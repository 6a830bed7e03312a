//! In-process isolation of foreign code with memory protection keys.
