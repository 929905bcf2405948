mod flow;
mod forgeries;
mod holes;
mod net;
