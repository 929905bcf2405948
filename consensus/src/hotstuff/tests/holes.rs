//! The holes of earlier drafts (SCENARIOS part 3), each as a test that fails when its cure is undone.
