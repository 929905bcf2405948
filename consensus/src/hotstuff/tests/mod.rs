mod elections;
mod flow;
mod forgeries;
mod forks;
mod holes;
mod net;
mod rows;
mod traps;
