//! Addresses of clients: how many connections each has, so that one cannot take them all, and from which nobody may write.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use natterjack_protocol::Timestamp;
use natterjack_storage::{Ban, WHOLE_APP};

/// Open connections by address. An entry lives as long as its connections do, of which the server has a greatest number.
#[derive(Debug)]
pub(crate) struct Addresses {
    open: Mutex<HashMap<IpAddr, usize>>,
    each_max: usize,
}

/// One open connection; dropping it ends its being counted.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    pub(crate) fn new(each_max: usize) -> Self {
        Self { open: Mutex::default(), each_max }
    }

    /// Counts a connection, `None` when the address has as many as one may.
    pub(crate) fn open(self: &Arc<Self>, address: IpAddr) -> Option<OpenConnection> {
        let address = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&address).copied().unwrap_or_default();
        if count >= self.each_max {
            return None;
        }
        open.insert(address, count + 1);
        Some(OpenConnection { addresses: Arc::clone(self), address })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.address);
            }
        }
    }
}

/// Addresses from which nobody may write: in which channels, or [`WHOLE_APP`], and until when.
#[derive(Debug, Default)]
pub(crate) struct BannedAddresses(HashMap<IpAddr, Vec<(i64, Option<Timestamp>)>>);

impl FromIterator<Ban> for BannedAddresses {
    fn from_iter<T: IntoIterator<Item = Ban>>(bans: T) -> Self {
        let mut banned = Self::default();
        for ban in bans {
            if let Some(address) = ban.ip.and_then(|ip| ip.parse().ok()) {
                banned.0.entry(address).or_default().push((ban.channel_pk, ban.expires));
            }
        }
        banned
    }
}

impl BannedAddresses {
    /// Whether nobody may write from here at a moment, in a channel or, without one, in any.
    pub(crate) fn hold(&self, address: IpAddr, channel_pk: Option<i64>, now: Timestamp) -> bool {
        let bans = self.0.get(&address).map(Vec::as_slice).unwrap_or_default();
        bans.iter().any(|(banned_in, expires)| {
            (*banned_in == WHOLE_APP || Some(*banned_in) == channel_pk)
                && expires.is_none_or(|expires| expires > now)
        })
    }
}

/// The address by which a client is known. This machine itself is none: a proxy on it that nobody told us of would stand
/// for all its clients.
pub(crate) fn of_client(peer: IpAddr) -> Option<IpAddr> {
    let address = network(peer);
    (!peer.to_canonical().is_loopback()).then_some(address)
}

/// What stands for one client: an IPv4 address, or the /64 network that an IPv6 address is one of at will.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::Addresses;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_as_many_connections_as_it_may() {
        let addresses = Arc::new(Addresses::new(2));
        let first = addresses.open(address("192.0.2.1"));
        let second = addresses.open(address("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(addresses.open(address("192.0.2.1")).is_none());
        assert!(addresses.open(address("192.0.2.2")).is_some());
        drop(first);
        assert!(addresses.open(address("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let addresses = Arc::new(Addresses::new(1));
        let first = addresses.open(address("2001:db8::1"));
        assert!(first.is_some() && addresses.open(address("2001:db8::2")).is_none());
        assert!(addresses.open(address("2001:db8:0:1::1")).is_some());
        drop(first);
        assert!(addresses.open.lock().unwrap().is_empty());
    }
}
