//! quorate-tests
