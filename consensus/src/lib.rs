//! quorate-consensus
