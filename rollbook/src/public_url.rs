//! Where people reach the server, as an operator says it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

/// The beginning of links to this server, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it leads whoever opens it to their own machine.
    pub fn is_loopback(&self) -> bool {
        let uri: Option<Uri> = self.0.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write for example https://rollbook.example.com";
        let uri: Uri = text.parse().map_err(|_| format!("is not a URL; {example}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!("must begin with https:// or http:// and a host; {example}"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("must not hold a user or password".to_owned());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(format!("must end with its path; {example}"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_links_is_a_plain_url() {
        for (text, url) in [
            ("https://rollbook.example.com", "https://rollbook.example.com"),
            ("https://example.com/people/", "https://example.com/people"),
            ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), url);
        }
        for text in [
            "",
            "rollbook.example.com",
            "/people",
            "ftp://example.com",
            "https://u:p@example.com",
            "https://example.com/?x=1",
            "https://example.com/#x",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn links_to_this_machine_are_told_from_others() {
        let is_loopback = |text: &str| text.parse::<PublicUrl>().unwrap().is_loopback();
        for here in ["http://localhost:80", "http://127.8.0.1", "https://[::1]:80/x"] {
            assert!(is_loopback(here), "{here}");
        }
        assert!(!is_loopback("https://example.com") && !is_loopback("http://192.0.2.1"));
    }
}
