mod adversary;
mod explore;
mod flow;
mod net;
mod rng;
