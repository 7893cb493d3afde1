//! The settings: one struct, read by clap (flags, then environment) and by serde (the TOML file).
//!
//! Defaults stand in the struct and nowhere else, so the help shows them and the file overrides them.

use std::fmt::Display;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use admin::usage::keep::Keep;
use anyhow::Context;
use clap::builder::{RangedI64ValueParser, Resettable};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Table;

use crate::log::{Format, Level};
use crate::mail::MailServer;
use crate::model_spec::ModelSpec;
use crate::price_spec::PriceSpec;
use crate::public_url::PublicUrl;

/// The environment variable that sets the first key. Not a setting: secrets have no place in process lists and files.
pub const BOOTSTRAP_KEY: &str = "ROLLBOOK_BOOTSTRAP_KEY";
/// The environment variables that hold the key for a server that commands speak to. Not settings, for the same reason. Ours wins:
/// who has both keeps the other for OpenAI.
pub const ADMIN_KEYS: [&str; 2] = ["ROLLBOOK_ADMIN_KEY", "OPENAI_ADMIN_KEY"];
/// The environment variable that holds the password for the mail server. Not a setting, for the same reason.
pub const SMTP_PASSWORD: &str = "ROLLBOOK_SMTP_PASSWORD";
/// Where the key that is asked about may come from.
pub const CHECK_KEY: &str = "ROLLBOOK_CHECK_KEY";
/// For how many days an invitation can be accepted unless somebody says otherwise.
pub const INVITE_LIFETIME: u8 = 7;
/// The shortest and the longest that can be said.
const INVITE_LIFETIMES: (u8, u8) = (1, 90);
/// What other programs of this project read from the environment.
const FOREIGN: [&str; 2] = ["ROLLBOOK_TEST_", "ROLLBOOK_REFERENCE"];

/// The operator asked for something that cannot be; trying again will not help.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Read settings from this TOML file
    ///
    /// Its keys are the flags below without the dashes in front. A flag wins over the environment, and the environment over the
    /// file.
    #[arg(long, env = "ROLLBOOK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// All other settings, which a file may hold as well.
    #[command(flatten)]
    pub settings: Settings,
}

impl Serve {
    /// Lays the flags and the environment over the file that they name.
    pub fn lay_over_file(&mut self, matches: &ArgMatches) -> anyhow::Result<()> {
        self.settings = self.settings.clone().over(self.config.as_deref(), matches)?;
        Ok(())
    }
}

/// What an operator may set.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on; with port 0 the system chooses one
    #[arg(long, env = "ROLLBOOK_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The store, which may carry a password.
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    #[arg(help = "The store: sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/NAME")]
    pub database: String,
    /// How many connections to keep to a database server
    #[arg(long, env = "ROLLBOOK_DATABASE_CONNECTIONS", value_name = "COUNT", default_value = "16")]
    pub database_connections: NonZeroUsize,
    /// First start: the e-mail address of the owner
    #[arg(
        long,
        env = "ROLLBOOK_OWNER_EMAIL",
        value_name = "ADDRESS",
        default_value = "owner@localhost"
    )]
    pub owner_email: String,
    /// First start: the name of the owner
    #[arg(long, env = "ROLLBOOK_OWNER_NAME", value_name = "NAME")]
    pub owner_name: Option<String>,
    /// First start without a terminal: the file for the admin key
    ///
    /// By default rollbook-admin-key beside the database file, or in the working directory if the database is not a file.
    #[arg(long, env = "ROLLBOOK_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Serve TLS: the file with the certificate chain, the server's own first (PEM)
    #[arg(long, env = "ROLLBOOK_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Serve TLS: the file with the private key (PEM)
    #[arg(long, env = "ROLLBOOK_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Where people reach this server, for the links of invitations; by default where it listens
    #[arg(long, env = "ROLLBOOK_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// How long an invitation can be accepted
    #[arg(
        long,
        env = "ROLLBOOK_INVITE_LIFETIME",
        value_name = "DAYS",
        default_value_t = INVITE_LIFETIME,
        value_parser = invite_lifetime()
    )]
    #[serde(deserialize_with = "lifetime")]
    pub invite_lifetime: u8,
    /// A model that projects may use some of, with what it has in all; may be repeated
    ///
    /// Its name, and behind it, with spaces between, any of requests-per-minute=N, tokens-per-minute=N, images-per-minute=N,
    /// audio-megabytes-per-minute=N, requests-per-day=N and batch-tokens-per-day=N. Each start makes the models of every
    /// organization those that are set; models that were added by a command stay. Without any model, every name is one.
    #[arg(long, env = "ROLLBOOK_MODEL", value_name = "MODEL", value_delimiter = ',')]
    pub model: Vec<ModelSpec>,
    /// What a model costs from a day on, or what uses of tools do; may be repeated
    ///
    /// The name of the model, and behind it, with spaces between, MEASURE=DOLLARS/UNITS for each measure that costs something, and from=DAY
    /// if that was not always so; for uses of tools without a model, KIND=DOLLARS. A price never changes: another one begins later.
    #[arg(long, env = "ROLLBOOK_PRICE", value_name = "PRICE", value_delimiter = ',')]
    pub price: Vec<PriceSpec>,
    /// The mail server for alerts of what was spent; without one, they go into the log
    ///
    /// smtp://USER@HOST:PORT begins TLS before anything else is said, smtps:// begins with it, and '?tls=none' behind the port does
    /// without, for a server nearby. The password for USER is read from ROLLBOOK_SMTP_PASSWORD or from a file.
    #[expect(clippy::doc_markdown, reason = "a help text, which is for terminals")]
    #[arg(long, env = "ROLLBOOK_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Who the messages are from, for example 'Rollbook <rollbook@example.com>'
    #[arg(long, env = "ROLLBOOK_SMTP_FROM", value_name = "ADDRESS")]
    pub smtp_from: Option<String>,
    /// The file with the password for the mail server, instead of ROLLBOOK_SMTP_PASSWORD
    #[expect(clippy::doc_markdown, reason = "a help text, which is for terminals")]
    #[arg(long, env = "ROLLBOOK_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// Serve Prometheus metrics on this address, without a key
    #[arg(long, env = "ROLLBOOK_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// A network of proxies whose X-Forwarded-For counts; may be repeated
    #[arg(long, env = "ROLLBOOK_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,
    /// How many connections may be open at once; further ones wait
    #[arg(long, env = "ROLLBOOK_MAX_CONNECTIONS", value_name = "COUNT", default_value = "10000")]
    pub max_connections: NonZeroU32,
    /// How long a request's header may take to arrive, and a connection may be idle
    #[arg(long, env = "ROLLBOOK_HEADER_TIMEOUT", value_name = "SECONDS", default_value = "15")]
    pub header_timeout: NonZeroU32,
    /// How long a request's body may take to arrive
    #[arg(long, env = "ROLLBOOK_BODY_TIMEOUT", value_name = "SECONDS", default_value = "10")]
    pub body_timeout: NonZeroU32,
    /// How long a request may take in all
    #[arg(long, env = "ROLLBOOK_REQUEST_TIMEOUT", value_name = "SECONDS", default_value = "30")]
    pub request_timeout: NonZeroU32,
    /// How long requests that are under way may take to finish when the server is stopped
    #[arg(long, env = "ROLLBOOK_SHUTDOWN_TIMEOUT", value_name = "SECONDS", default_value = "20")]
    pub shutdown_timeout: NonZeroU32,
    /// The largest request body
    #[arg(long, env = "ROLLBOOK_BODY_LIMIT", value_name = "BYTES", default_value = "1048576")]
    pub body_limit: NonZeroUsize,
    /// How long events of usage are kept; older ones are not taken. 0 keeps them for ever
    #[arg(long, env = "ROLLBOOK_USAGE_KEEP_EVENTS", value_name = "DAYS", default_value = "35")]
    pub usage_keep_events: u32,
    /// How long usage by the minute is kept; 0 keeps it for ever
    #[arg(long, env = "ROLLBOOK_USAGE_KEEP_MINUTES", value_name = "DAYS", default_value = "35")]
    pub usage_keep_minutes: u32,
    /// How long usage by the hour is kept; 0 keeps it for ever
    #[arg(long, env = "ROLLBOOK_USAGE_KEEP_HOURS", value_name = "DAYS", default_value = "400")]
    pub usage_keep_hours: u32,
    /// How long usage by the day and costs are kept; 0 keeps them for ever
    #[arg(long, env = "ROLLBOOK_USAGE_KEEP_DAYS", value_name = "DAYS", default_value = "0")]
    pub usage_keep_days: u32,
    /// How often usage is rolled up, in milliseconds; 0 never does. For measurements.
    #[arg(
        long,
        env = "ROLLBOOK_USAGE_ROLL_UP_INTERVAL",
        value_name = "MILLISECONDS",
        default_value = "400",
        hide = true
    )]
    pub usage_roll_up_interval: u32,
    /// How often what was recorded is sealed, in milliseconds; 0 never does. For measurements.
    #[arg(
        long,
        env = "ROLLBOOK_AUDIT_SEAL_INTERVAL",
        value_name = "MILLISECONDS",
        default_value = "400",
        hide = true
    )]
    pub audit_seal_interval: u32,
    /// The least important events to log
    #[arg(long, env = "ROLLBOOK_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: Level,
    /// How to write the log; by default text on a terminal and JSON elsewhere
    #[arg(long, env = "ROLLBOOK_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<Format>,
}

impl Default for Settings {
    /// What holds when nothing is set, not even in the environment.
    fn default() -> Self {
        let command = Self::augment_args(Command::new("defaults"));
        let matches =
            command.mut_args(|arg| arg.env(Resettable::Reset)).get_matches_from(["defaults"]);
        Self::from_arg_matches(&matches).expect("the defaults are valid settings")
    }
}

impl Settings {
    /// Lays these settings, as clap read them, over the file that was named: what was given by a flag or the environment stays.
    pub fn over(self, file: Option<&Path>, matches: &ArgMatches) -> anyhow::Result<Self> {
        let settings = match file {
            Some(file) => self.over_file(file, matches)?,
            None => self,
        };
        settings.check()?;
        Ok(settings)
    }

    fn over_file(self, file: &Path, matches: &ArgMatches) -> anyhow::Result<Self> {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| {
            Usage(format!("cannot read the settings in {name}; --config names a TOML file"))
        })?;
        // Read by itself first, so that a fault is told with its line even if a flag would hide it.
        let from_file: Self =
            toml::from_str(&text).map_err(|error| explain(&name, &text, &error))?;
        let mut merged = Table::try_from(&from_file)?;
        let given = Table::try_from(&self)?.into_iter();
        merged.extend(given.filter(|(key, _)| is_given(matches, &key.replace('-', "_"))));
        Ok(merged.try_into()?)
    }

    fn check(&self) -> Result<(), Usage> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => {
                Err(Usage("tls-cert is set but tls-key is not; TLS needs both".to_owned()))
            }
            (None, Some(_)) => {
                Err(Usage("tls-key is set but tls-cert is not; TLS needs both".to_owned()))
            }
            _ => self.check_models(),
        }?;
        MailServer::of(self).map(drop)
    }

    fn check_models(&self) -> Result<(), Usage> {
        let names: Vec<_> = self.model.iter().map(ModelSpec::name).collect();
        let twice = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
        twice.map_or(Ok(()), |(_, name)| Err(Usage(format!("the model {name} is set twice"))))
    }

    /// What the API wants to know, of a server that listens at this URL.
    pub fn api(&self, url: &str) -> admin::Settings {
        admin::Settings {
            body_cap: self.body_limit.get(),
            body_deadline: seconds(self.body_timeout),
            request_deadline: seconds(self.request_timeout),
            trusted_proxies: self.trusted_proxy.clone(),
            public_url: self.public_url.as_ref().map_or(url, PublicUrl::as_str).to_owned(),
            invite_lifetime: days(self.invite_lifetime),
            usage_keep: Keep {
                events: self.usage_keep_events,
                minutes: self.usage_keep_minutes,
                hours: self.usage_keep_hours,
                days: self.usage_keep_days,
            },
            ..admin::Settings::default()
        }
    }

    /// What the store wants to know. Work that outlives its request is of no use to anybody.
    pub fn store(&self) -> sql::Options {
        let defaults = sql::Options::new(&self.database);
        sql::Options {
            connections: self.database_connections.get(),
            deadline: defaults.deadline.min(seconds(self.request_timeout)),
            ..defaults
        }
    }

    /// How often usage is rolled up.
    pub fn roll_up_interval(&self) -> Duration {
        Duration::from_millis(self.usage_roll_up_interval.into())
    }

    /// How often the record is sealed.
    pub fn seal_interval(&self) -> Duration {
        Duration::from_millis(self.audit_seal_interval.into())
    }

    /// Whether keys would cross a network in plain sight.
    pub fn is_exposed(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback() && self.tls_cert.is_none()
    }
}

/// Reads how long an invitation can be accepted.
pub fn invite_lifetime() -> RangedI64ValueParser<u8> {
    let (least, most) = INVITE_LIFETIMES;
    clap::value_parser!(u8).range(i64::from(least)..=i64::from(most))
}

/// The same from a file.
fn lifetime<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let (days, (least, most)) = (u8::deserialize(from)?, INVITE_LIFETIMES);
    if (least..=most).contains(&days) {
        Ok(days)
    } else {
        Err(Error::custom(format!("{days} is not between {least} and {most}")))
    }
}

/// A setting that is a number of days, in seconds.
pub fn days(setting: u8) -> i64 {
    i64::from(setting) * 24 * 60 * 60
}

/// A setting that is a number of seconds.
pub fn seconds(setting: NonZeroU32) -> Duration {
    Duration::from_secs(setting.get().into())
}

/// Says where the file is at fault: with the key, but without its value, which may be a password.
fn explain(file: &impl Display, text: &str, error: &toml::de::Error) -> Usage {
    let before = &text[..error.span().map_or(0, |span| span.start)];
    let number = before.matches('\n').count();
    let key = text.lines().nth(number).and_then(|line| line.split('=').next()).unwrap_or_default();
    Usage(format!("{file}, line {}, at {}: {}", number + 1, key.trim(), error.message().trim_end()))
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    let source = matches.value_source(id);
    matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// Names in the environment that look like settings and are none. Not an error: Kubernetes, for one, puts
/// `ROLLBOOK_PORT` and the like there for a service of this name.
pub fn unknown_variables(command: &Command) -> Vec<String> {
    let known: Vec<_> = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter_map(Arg::get_env)
        .collect();
    let is_known = |name: &str| {
        [BOOTSTRAP_KEY, CHECK_KEY, SMTP_PASSWORD].contains(&name)
            || ADMIN_KEYS.contains(&name)
            || known.iter().any(|known| *known == name)
            || FOREIGN.iter().any(|prefix| name.starts_with(prefix))
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<_> =
        names.filter(|name| name.starts_with("ROLLBOOK_") && !is_known(name)).collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_safe_ones() {
        let settings = Settings::default();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database, "sqlite:rollbook.db");
        assert!(settings.metrics_listen.is_none() && settings.trusted_proxy.is_empty());
        assert!(!settings.is_exposed());
    }

    #[test]
    fn an_address_is_exposed_unless_it_is_loopback_or_speaks_tls() {
        let at = |listen: &str| Settings { listen: listen.parse().unwrap(), ..Settings::default() };
        assert!(
            ["0.0.0.0:80", "192.0.2.1:80", "[::]:80"].iter().all(|listen| at(listen).is_exposed())
        );
        assert!(!at("127.8.0.1:80").is_exposed() && !at("[::1]:80").is_exposed());
        assert!(!at("[::ffff:127.0.0.1]:80").is_exposed());
        assert!(!Settings { tls_cert: Some("chain.pem".into()), ..at("0.0.0.0:80") }.is_exposed());
    }
}
