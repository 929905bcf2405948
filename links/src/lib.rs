//! quorate-links
