//! Laying one source of settings over another.

use super::{Config, DurabilityChoice};
use crate::{
    exit::Failure,
    home::{Home, read_text},
};
use std::{collections::BTreeMap, net::SocketAddr};
use toml::{Table, Value};

/// Settings given as flags.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--api-listen`.
    pub api_listen: Option<SocketAddr>,
    /// `--durability`.
    pub durability: Option<DurabilityChoice>,
}

/// Reads the settings of a home: defaults < `config.toml` < `environment` < flags.
pub fn load(home: &Home, environment: &BTreeMap<String, String>, flags: &Overrides) -> Result<Config, Failure> {
    let path = home.config_file();
    let text = read_text(&path)?;
    let file = toml::from_str::<Config>(&text)
        .map_err(|error| Failure::usage(format!("{}: {}", path.display(), error.to_string().trim_end())))?;
    let mut config = with_environment(&file, environment)?;
    if let Some(listen) = flags.listen {
        config.network.listen = listen;
    }
    if let Some(listen) = flags.api_listen {
        config.api.listen = listen;
    }
    if let Some(durability) = flags.durability {
        config.journal.durability = durability;
    }
    check(&config)?;
    Ok(config)
}

/// Puts `QUORATE_<SECTION>_<KEY>` over the settings. A variable of a known section with an unknown key is an error; a
/// variable of no section is somebody else's.
fn with_environment(config: &Config, environment: &BTreeMap<String, String>) -> Result<Config, Failure> {
    let mut table = Table::try_from(config).expect("every setting has a TOML form");
    let sections: Vec<String> = table.keys().cloned().collect();
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix("QUORATE_").map(str::to_lowercase) else { continue };
        let Some((section, key)) = split_section(&rest, &sections) else { continue };
        let Some(Value::Table(keys)) = table.get_mut(section) else { continue };
        let Some(old) = keys.get(key) else {
            let known: Vec<_> = keys.keys().cloned().collect();
            return Err(Failure::usage(format!("environment variable {name}: [{section}] has no key `{key}`"))
                .hint(format!("one of {}", known.join(", "))));
        };
        let new = parse_like(old, text)
            .ok_or_else(|| Failure::usage(format!("environment variable {name}={text}: not a {}", old.type_str())))?;
        keys.insert(key.to_owned(), new);
        // One at a time, so that a value of the right type and the wrong content is blamed on its variable.
        table.clone().try_into::<Config>().map_err(|error| {
            Failure::usage(format!("environment variable {name}={text}: {}", error.to_string().trim_end()))
        })?;
    }
    Ok(table.try_into().expect("checked after each change"))
}

fn split_section<'a>(name: &'a str, sections: &[String]) -> Option<(&'a str, &'a str)> {
    let (section, key) = name.split_once('_')?;
    sections.iter().any(|known| known == section).then_some((section, key))
}

fn parse_like(old: &Value, text: &str) -> Option<Value> {
    match old {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn check(config: &Config) -> Result<(), Failure> {
    let listen = config.api.listen;
    if !listen.ip().is_loopback() && !config.api.expose {
        return Err(Failure::usage(format!(
            "[api] listen = \"{listen}\" can be reached from other machines, and the API has no authentication"
        ))
        .hint("listen on 127.0.0.1, or say `expose = true` in [api]"));
    }
    let positive = [
        ("api", "max_connections", config.api.max_connections as u64),
        ("api", "max_subscribers", config.api.max_subscribers as u64),
        ("journal", "group_interval_ms", config.journal.group_interval_ms),
        ("mempool", "batch_interval_ms", config.mempool.batch_interval_ms),
        ("mempool", "max_bytes", config.mempool.max_bytes as u64),
    ];
    match positive.iter().find(|(_, _, value)| *value == 0) {
        Some((section, key, _)) => Err(Failure::usage(format!("[{section}] {key} = 0: must be at least 1"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::write_private;

    fn home(text: &str) -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let home = Home::new(dir.path());
        home.create().expect("new directories");
        write_private(&home.config_file(), text).expect("new file");
        (dir, home)
    }

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn refused(text: &str, pairs: &[(&str, &str)]) -> String {
        let (_dir, home) = home(text);
        load(&home, &environment(pairs), &Overrides::default()).expect_err("refused").to_string()
    }

    #[test]
    fn flags_beat_the_environment_which_beats_the_file_which_beats_the_defaults() {
        let (_dir, home) =
            home("[journal]\ndurability = \"group\"\n[api]\nlisten = \"127.0.0.1:1\"\nmax_connections = 7\n");
        let environment = environment(&[("QUORATE_API_LISTEN", "127.0.0.1:2"), ("QUORATE_API_MAX_SUBSCRIBERS", "9")]);
        let flags = Overrides { api_listen: Some(SocketAddr::from(([127, 0, 0, 1], 3))), ..Overrides::default() };
        let config = load(&home, &environment, &flags).expect("good settings");
        assert_eq!(config.api.listen.port(), 3);
        assert_eq!(config.api.max_subscribers, 9);
        assert_eq!(config.api.max_connections, 7);
        assert_eq!(config.journal.durability, DurabilityChoice::Group);
        assert_eq!(config.mempool, Config::default().mempool);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_known_ones() {
        let error = refused("[api]\nlisten = \"127.0.0.1:1\"\nlissten = 3\n", &[]);
        assert!(error.contains("line 3"), "{error}");
        assert!(error.contains("lissten") && error.contains("max_subscribers"), "{error}");
        let error = refused("[apy]\n", &[]);
        assert!(error.contains("line 1") && error.contains("mempool"), "{error}");
    }

    #[test]
    fn bad_variables_are_named_and_foreign_ones_ignored() {
        assert!(refused("", &[("QUORATE_API_LISTN", "x")]).contains("one of expose, listen"));
        assert!(refused("", &[("QUORATE_API_LISTEN", "x")]).contains("QUORATE_API_LISTEN=x"));
        assert!(refused("", &[("QUORATE_MEMPOOL_MAX_BYTES", "many")]).contains("not a integer"));
        let (_dir, home) = home("");
        let config = load(&home, &environment(&[("QUORATE_VECTORS", "/v")]), &Overrides::default());
        assert_eq!(config, Ok(Config::default()));
    }

    #[test]
    fn an_api_for_everybody_must_be_asked_for() {
        assert!(refused("[api]\nlisten = \"0.0.0.0:80\"\n", &[]).contains("expose = true"));
        let (_dir, home) = home("[api]\nlisten = \"0.0.0.0:80\"\nexpose = true\n");
        assert!(load(&home, &BTreeMap::new(), &Overrides::default()).is_ok());
        assert!(refused("[mempool]\nmax_bytes = 0\n", &[]).contains("at least 1"));
    }

    #[test]
    fn the_written_file_reads_back() {
        let mut config = Config::default();
        config.network.peers.insert("north".into(), "north.example:26600".into());
        let (_dir, home) = home(&config.to_toml());
        assert_eq!(load(&home, &BTreeMap::new(), &Overrides::default()), Ok(config));
    }
}
