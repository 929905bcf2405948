mod flow;
mod net;
