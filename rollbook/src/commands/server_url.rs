//! The base URL of a server, as it may be typed.

use std::io::Write;
use std::net::IpAddr;

use axum::http::Uri;

use super::text::harmless;
use crate::config::Usage;

/// The base URL that a flag names, with `/v1` at its end.
pub fn with_version(flag: &str, url: &str) -> Result<String, Usage> {
    let wrong = |what: &str| {
        Usage(format!("{flag} {url} {what}; write for example https://rollbook.example.com/v1"))
    };
    let parsed = url.parse::<Uri>().map_err(|_| wrong("is not a URL"))?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err(wrong("must begin with https:// or http://"));
    }
    if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Usage(format!("{flag} must not hold a user or password")));
    }
    if parsed.query().is_some() || url.contains('#') {
        return Err(wrong("must end with its path"));
    }
    let url = url.trim_end_matches('/');
    Ok(if url.ends_with("/v1") { url.to_owned() } else { format!("{url}/v1") })
}

/// The key is worth as much as the organization, and without TLS everybody on the way can read it.
pub fn warn_if_overheard(base: &str) {
    if is_overheard(base) {
        let warning = format!("{base} is spoken to without TLS, so that others can read the key");
        let _ = writeln!(anstream::stderr(), "\x1b[1;33mwarning:\x1b[0m {}", harmless(&warning));
    }
}

fn is_overheard(base: &str) -> bool {
    let Ok(url) = base.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme_str() == Some("http") && !is_here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_with_and_without_its_version() {
        for url in [
            "https://a.example",
            "https://a.example/",
            "https://a.example/v1",
            "https://a.example/v1/",
        ] {
            assert_eq!(with_version("--server", url).unwrap(), "https://a.example/v1");
        }
        assert_eq!(
            with_version("--server", "http://[::1]:80/proxy").unwrap(),
            "http://[::1]:80/proxy/v1"
        );
        for url in
            ["a.example", "ftp://a.example", "https://u:p@a.example", "https://a/?x=1", "", "/v1"]
        {
            assert!(with_version("--server", url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_key_without_tls_is_overheard_unless_it_stays_on_this_machine() {
        for here in ["http://localhost:80/v1", "http://127.8.0.1/v1", "http://[::1]:80/v1"] {
            assert!(!is_overheard(here), "{here}");
        }
        assert!(!is_overheard("https://rollbook.example.com/v1"));
        assert!(is_overheard("http://rollbook.example.com/v1"));
        assert!(is_overheard("http://192.0.2.1:8080/v1"));
    }
}
