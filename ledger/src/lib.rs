//! quorate-ledger
