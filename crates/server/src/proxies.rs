//! Proxies in front of the server, whose word is taken for where a request comes from.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use anyhow::{Context, bail};
use axum::http::HeaderMap;

/// Where proxies say for whom they call, the nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Networks of proxies that are believed when they say for whom they call. There are none by default, since everybody may
/// send the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// All addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let difference = u32::from(network) ^ u32::from(address);
                difference.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let difference = u128::from(network) ^ u128::from(address);
                difference.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let wrong = || format!("{text:?} is not an address or a network, such as 10.0.0.0/8 or fd00::/8");
        let address: IpAddr = address.parse().with_context(wrong)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), str::parse).with_context(wrong)?;
        if bits > bits_max {
            bail!(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl FromStr for TrustedProxies {
    type Err = anyhow::Error;

    /// Reads addresses and networks separated by commas.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// Whether this is the address of a proxy that is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// From where a request comes: the connection's other end, or whom that names when it is a trusted proxy, and so on as
    /// long as proxies are trusted.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let named = headers.get_all(FORWARDED_FOR).iter().rev();
        for name in named.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = address(name.trim()) else { break };
            client = address;
        }
        client
    }
}

/// An address as proxies write it, some of them with a port.
fn address(text: &str) -> Option<IpAddr> {
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::TrustedProxies;

    /// The client of a request from `peer` with these headers, where 10.0.0.0/8, 192.0.2.7 and fd00::/8 are trusted.
    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted: TrustedProxies = "10.0.0.0/8, 192.0.2.7,fd00::/8".parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_names_its_client() {
        for (peer, forwarded, expected) in [
            ("198.51.100.1", &["203.0.113.5"][..], "198.51.100.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.5"], "203.0.113.5"),
            ("192.0.2.7", &["203.0.113.5"], "203.0.113.5"),
            ("192.0.2.8", &["203.0.113.5"], "192.0.2.8"),
            ("::ffff:10.1.2.3", &["203.0.113.5"], "203.0.113.5"),
            ("fd00::1", &["2001:db8::5"], "2001:db8::5"),
            ("fe00::1", &["2001:db8::5"], "fe00::1"),
            // What the client itself wrote stands before what proxies add.
            ("10.1.2.3", &["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
            ("10.1.2.3", &["1.1.1.1, 203.0.113.5, 10.9.9.9"], "203.0.113.5"),
            ("10.1.2.3", &["1.1.1.1", "203.0.113.5", "10.9.9.9"], "203.0.113.5"),
            ("10.1.2.3", &["203.0.113.5:4711"], "203.0.113.5"),
            ("10.1.2.3", &["[2001:db8::5]:4711"], "2001:db8::5"),
            ("10.1.2.3", &["[2001:db8::5]"], "2001:db8::5"),
            ("10.1.2.3", &["203.0.113.5, unknown, 10.9.9.9"], "10.9.9.9"),
            ("10.1.2.3", &[""], "10.1.2.3"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn everything_and_nothing_can_be_trusted() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.5".parse().unwrap());
        let peer = "198.51.100.1".parse().unwrap();
        let all: TrustedProxies = "0.0.0.0/0".parse().unwrap();
        assert_eq!(all.client(peer, &headers).to_string(), "203.0.113.5");
        assert_eq!(TrustedProxies::default().client(peer, &headers), peer);
        assert_eq!("".parse::<TrustedProxies>().unwrap(), TrustedProxies::default());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["10.0.0.0/33", "fd00::/129", "10.0.0/8", "proxy.example.org", "10.0.0.0/x", "10.0.0.0/-1"]
        {
            let error = text.parse::<TrustedProxies>().unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
