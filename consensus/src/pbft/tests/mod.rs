mod adversary;
mod checks;
mod craft;
mod explore;
mod flow;
mod net;
mod rng;
