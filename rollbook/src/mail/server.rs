//! The server that takes messages, as an operator says it.
//!
//! The password is in the environment or in a file, never in the settings: those are shown by `check-config` and stand in process lists.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::Uri;
use axum::http::uri::Authority;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use percent_encoding::percent_decode_str;

use crate::config::{SMTP_PASSWORD, Settings, Usage};

/// How long one step of the conversation may take.
const STEP: Duration = Duration::from_secs(20);

/// What sends a message.
pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A server that takes messages, and from whom they are.
#[derive(Debug)]
pub struct MailServer {
    address: Address,
    /// What stands in the messages as their sender.
    pub from: Mailbox,
}

/// Where the server is and how it is spoken to.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    security: Security,
    user: Option<String>,
    host: String,
    port: u16,
}

/// Who else can read what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Nobody: TLS from the first byte.
    Tls,
    /// Nobody: TLS is begun before anything is said, or nothing is.
    StartTls,
    /// Everybody on the way.
    Plain,
}

impl MailServer {
    /// The server that the settings name, if they name one.
    pub fn of(settings: &Settings) -> Result<Option<Self>, Usage> {
        let (url, from) = match (&settings.smtp_url, &settings.smtp_from) {
            (None, None) => return Ok(None),
            (Some(url), Some(from)) => (url, from),
            (Some(_), None) => {
                return Err(wrong("smtp-url is set but smtp-from is not; messages need a sender"));
            }
            (None, Some(_)) => {
                return Err(wrong(
                    "smtp-from is set but smtp-url is not; it names the server that takes messages",
                ));
            }
        };
        let from = from.parse().map_err(|_| {
            wrong("smtp-from is no address; write for example 'Rollbook <rollbook@example.com>'")
        })?;
        Ok(Some(Self { address: Address::read(url)?, from }))
    }

    /// What speaks to it. Its password is read now, so that a missing one is told at the start.
    pub fn transport(&self, settings: &Settings) -> Result<Transport> {
        let Address { security, user, host, port } = &self.address;
        let parameters =
            || TlsParameters::new(host.clone()).context("TLS to the mail server cannot be set up");
        let tls = match security {
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::StartTls => Tls::Required(parameters()?),
            Security::Plain => Tls::None,
        };
        let mut builder =
            Transport::builder_dangerous(host).port(*port).tls(tls).timeout(Some(STEP));
        if let Some(user) = user {
            builder = builder.credentials(Credentials::new(
                user.clone(),
                password(settings.smtp_password_file.as_deref())?,
            ));
        }
        Ok(builder.build())
    }
}

impl fmt::Display for MailServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.address.host, self.address.port)
    }
}

impl Address {
    /// Faults are told without the URL, which somebody may have put a password into.
    fn read(url: &str) -> Result<Self, Usage> {
        let uri: Uri = url.parse().map_err(|_| fault("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| fault("names no host"))?;
        let is_bare = matches!(uri.path(), "" | "/") && !url.contains('#');
        let (security, port) = match (uri.scheme_str(), uri.query()) {
            _ if !is_bare => return Err(fault("must end with its port")),
            (Some("smtps"), None) => (Security::Tls, 465),
            (Some("smtp"), None) => (Security::StartTls, 587),
            (Some("smtp"), Some("tls=none")) => (Security::Plain, 25),
            (Some("smtp" | "smtps"), Some(_)) => {
                return Err(fault("has something behind its '?' that means nothing"));
            }
            _ => return Err(fault("must begin with smtps:// or smtp://")),
        };
        let user = user(authority)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(fault("names no host"));
        }
        if security == Security::Plain && user.is_some() && !is_here(&host) {
            return Err(fault(
                "names a user without TLS; everybody on the way could read the password",
            ));
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.port().is_some() => return Err(fault("has no valid port")),
            None => port,
        };
        Ok(Self { security, user, host, port })
    }
}

fn user(authority: &Authority) -> Result<Option<String>, Usage> {
    let Some((user, _)) = authority.as_str().rsplit_once('@') else { return Ok(None) };
    if user.contains(':') {
        return Err(fault(&format!(
            "must not hold a password; put it into {SMTP_PASSWORD} or a file that smtp-password-file names"
        )));
    }
    let user = percent_decode_str(user)
        .decode_utf8()
        .map_err(|_| fault("has a user that is not UTF-8"))?;
    Ok(Some(user.into_owned()))
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

fn password(file: Option<&Path>) -> Result<String> {
    let password = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| {
            Usage(format!("cannot read the password of the mail server in {}", file.display()))
        })?,
        None => std::env::var(SMTP_PASSWORD).unwrap_or_default(),
    };
    let password = password.trim_end_matches(['\r', '\n']);
    let missing = || {
        Usage(format!(
            "smtp-url names a user, and there is no password; put it into {SMTP_PASSWORD} or a file that smtp-password-file names"
        ))
    };
    ensure!(!password.is_empty(), missing());
    Ok(password.to_owned())
}

fn fault(what: &str) -> Usage {
    wrong(&format!("smtp-url {what}; write for example smtp://user@mail.example.com:587"))
}

fn wrong(what: &str) -> Usage {
    Usage(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (Security, Option<String>, String, u16) {
        let Address { security, user, host, port } = Address::read(url).unwrap();
        (security, user, host, port)
    }

    #[test]
    fn a_server_is_spoken_to_with_tls_unless_somebody_says_otherwise() {
        let host = || "mail.example.com".to_owned();
        assert_eq!(read("smtp://mail.example.com"), (Security::StartTls, None, host(), 587));
        assert_eq!(read("smtps://mail.example.com/"), (Security::Tls, None, host(), 465));
        assert_eq!(read("smtp://mail.example.com?tls=none"), (Security::Plain, None, host(), 25));
        let user = Some("ada@example.com".to_owned());
        assert_eq!(
            read("smtp://ada%40example.com@mail.example.com:2525"),
            (Security::StartTls, user, host(), 2525)
        );
        let here = read("smtp://me@[::1]:25?tls=none");
        assert_eq!(here, (Security::Plain, Some("me".to_owned()), "::1".to_owned(), 25));
    }

    #[test]
    fn what_is_wrong_is_told_without_what_may_be_secret() {
        for (url, what) in [
            ("smtp://ada:s3cret@mail.example.com", "must not hold a password"),
            ("smtp://ada@mail.example.com?tls=none", "without TLS"),
            ("smtp://mail.example.com/s3cret", "must end with its port"),
            ("smtp://mail.example.com?s3cret", "means nothing"),
            ("smtps://mail.example.com?tls=none", "means nothing"),
            ("https://s3cret.example.com", "must begin with smtps:// or smtp://"),
            ("s3cret", "must begin with smtps:// or smtp://"),
            ("/s3cret", "names no host"),
            ("s3cret:x:y z", "is no URL"),
        ] {
            let told = Address::read(url).unwrap_err().to_string();
            assert!(told.contains(what) && !told.contains("s3cret"), "{url}: {told}");
        }
    }

    #[test]
    fn a_server_needs_a_sender_and_a_sender_needs_a_server() {
        let of = |url: Option<&str>, from: Option<&str>| {
            let settings = Settings {
                smtp_url: url.map(str::to_owned),
                smtp_from: from.map(str::to_owned),
                ..Settings::default()
            };
            MailServer::of(&settings).map(|server| server.map(|server| server.to_string()))
        };
        assert_eq!(of(None, None).unwrap(), None);
        let (url, from) =
            (Some("smtp://mail.example.com"), Some("Rollbook <rollbook@example.com>"));
        assert_eq!(of(url, from).unwrap().as_deref(), Some("mail.example.com:587"));
        assert!(of(url, None).unwrap_err().0.contains("smtp-from is not"));
        assert!(of(None, from).unwrap_err().0.contains("smtp-url is not"));
        assert!(of(url, Some("nobody")).unwrap_err().0.contains("no address"));
    }
}
