mod flow;
mod holes;
mod net;
