mod flow;
mod forgeries;
mod holes;
mod net;
mod rows;
mod traps;
