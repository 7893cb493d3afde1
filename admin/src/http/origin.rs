//! Where a request came from.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

use crate::audit::Origin;

/// The other end of the connection, put into the request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Longer names of clients are cut: the record should not be filled by a header.
const USER_AGENT_CAP: usize = 512;

/// The origin of a request, as far as it can be known.
#[must_use]
pub fn of(parts: &Parts, trusted: &[IpNet]) -> Origin {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let agent = parts.headers.get(http::header::USER_AGENT);
    Origin {
        ip_address: peer.map(|peer| client(peer, &parts.headers, trusted).to_string()),
        user_agent: agent.map(|name| {
            String::from_utf8_lossy(name.as_bytes()).chars().take(USER_AGENT_CAP).collect()
        }),
    }
}

/// The address of the client. `X-Forwarded-For` is read from its end, and each entry counts only as long as the one who
/// appended it is trusted: everything before that may be invented.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    // Split as bytes: a hop that is no text is only one that cannot be believed, and must not hide the others.
    let values = headers.get_all("x-forwarded-for");
    let hops: Vec<&[u8]> =
        values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        let address = std::str::from_utf8(hop).ok().and_then(|hop| hop.trim().parse().ok());
        match address.map(|address: IpAddr| address.to_canonical()) {
            Some(address) if is_trusted(&client) => client = address,
            _ => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client_of(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        client(peer.parse().unwrap(), &headers, &["10.0.0.0/8".parse().unwrap()]).to_string()
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        assert_eq!(client_of("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_invents_before_the_trusted_part_is_ignored() {
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.2.2.2"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &["ÿ, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
    }
}
