//! What processes use, as the kernel and they themselves count it.

use super::field::Node;
use crate::exit::Failure;
use quorate_bench::load::NodeUse;
use std::fs;

/// The readings of all validators and of this process at one time.
pub(super) struct Reading {
    nodes: Vec<Gauges>,
    client_cpu: Option<f64>,
}

struct Gauges {
    name: String,
    cpu: Option<f64>,
    rss: Option<u64>,
    flushes: u64,
    view_changes: u64,
}

impl Reading {
    /// Reads everything.
    pub(super) async fn take(nodes: &[Node]) -> Result<Self, Failure> {
        let mut gauges = Vec::new();
        for node in nodes {
            let metrics = node.api.metrics().await.map_err(|error| node.api.failure(error))?;
            gauges.push(Gauges {
                name: node.name.clone(),
                cpu: cpu(node.pid),
                rss: node.pid.and_then(rss),
                flushes: count(&metrics, "quorate_journal_flush_seconds_count"),
                view_changes: count(&metrics, "quorate_consensus_view_timeouts_total"),
            });
        }
        Ok(Self { nodes: gauges, client_cpu: cpu(Some(std::process::id())) })
    }

    /// What was used since an earlier reading: by each validator, and seconds of CPU by this process.
    pub(super) fn since(self, before: &Self) -> (Vec<NodeUse>, f64) {
        let between = |(after, before): (Gauges, &Gauges)| NodeUse {
            name: after.name,
            cpu_seconds: after.cpu.zip(before.cpu).map(|(after, before)| after - before),
            idle_percent: None,
            rss_bytes: after.rss,
            flushes: after.flushes.saturating_sub(before.flushes),
            view_changes: after.view_changes.saturating_sub(before.view_changes),
        };
        let client = self.client_cpu.zip(before.client_cpu).map_or(0.0, |(after, before)| after - before);
        (self.nodes.into_iter().zip(&before.nodes).map(between).collect(), client)
    }
}

/// Seconds of CPU that a process has used, in user and kernel mode: fields 14 and 15 of `/proc/PID/stat` (proc(5)).
pub(super) fn cpu(pid: Option<u32>) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid?)).ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    Some(cpu_ticks(&stat)? as f64 / ticks as f64)
}

fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name, in parentheses, may contain anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(user + system)
}

/// Resident bytes of a process.
fn rss(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim_end().parse().ok()?;
    Some(kib * 1024)
}

/// A counter out of OpenMetrics text. One that is not there has counted nothing.
fn count(metrics: &str, name: &str) -> u64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_found_in_what_the_kernel_and_the_node_say() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 900 0 0 0 130 20 0 0 20 0 9 0 100 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(150));
        let metrics = "# TYPE x counter\nx_total_other 9\nx_total 3\n# EOF";
        assert_eq!((count(metrics, "x_total"), count(metrics, "y_total")), (3, 0));
        let me = std::process::id();
        assert!(cpu(Some(me)).is_some() && rss(me).is_some_and(|bytes| bytes > 1 << 16));
        assert_eq!(cpu(None), None);
    }
}
