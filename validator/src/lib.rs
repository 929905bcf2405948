//! quorate-validator
