//! How often one place may ask: so many requests a second, twice as many at once.
//!
//! What surprises: no address and no key is kept. Each becomes one of a million numbers, by a hash that is another in every process, so that
//! the memory has a bound without anything that clears it up. Two clients share a number once in a million, and then a limit.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::{Code, Refusal};

/// Of how many bits the number of a place is.
const BITS: u32 = 20;

/// A limit for each place.
#[derive(Debug)]
pub(super) struct Rate {
    limiter: DefaultKeyedRateLimiter<u32>,
    clock: DefaultClock,
    hasher: RandomState,
    a_second: NonZeroU32,
}

impl Rate {
    pub(super) fn new(a_second: NonZeroU32) -> Rate {
        let quota = Quota::per_second(a_second).allow_burst(a_second.saturating_add(a_second.get()));
        let limiter = RateLimiter::keyed(quota);
        Rate { limiter, clock: DefaultClock::default(), hasher: RandomState::new(), a_second }
    }

    /// Counts a request of the holder of a key.
    pub(super) fn of_key(&self, name: &str) -> Result<(), Refusal> {
        self.check(self.hasher.hash_one((0, name)), "this key")
    }

    /// Counts a request from an address. In IPv6 a household has 2⁶⁴ of them, which count as one.
    pub(super) fn of_address(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        let place = match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => self.hasher.hash_one((1, address.to_bits() >> 64)),
            Some(IpAddr::V4(address)) => self.hasher.hash_one((2, address.to_bits())),
            None => self.hasher.hash_one(3),
        };
        self.check(place, "this address")
    }

    fn check(&self, place: u64, whose: &str) -> Result<(), Refusal> {
        let number = (place >> (u64::BITS - BITS)) as u32; // 20 bits fit
        self.limiter.check_key(&number).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            Refusal::new(Code::TooManyRequests, format!("{whose} may ask {} times a second", self.a_second))
                .hint("ask more slowly; a batch of searches is one request")
                .retry_after(whole_seconds(wait))
        })
    }
}

/// Never too early: a client that waits as long is let in.
fn whole_seconds(wait: Duration) -> u16 {
    u16::try_from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_limit_and_a_burst_of_twice_as_many() {
        let rate = Rate::new(NonZeroU32::new(1).unwrap());
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for _ in 0..2 {
            rate.of_address(address("192.0.2.1")).unwrap();
        }
        let refusal = rate.of_address(address("192.0.2.1")).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_s()), (Code::TooManyRequests, Some(1)));
        assert!(rate.of_address(address("::ffff:192.0.2.1")).is_err(), "one address, written in two ways");
        rate.of_address(address("192.0.2.2")).unwrap();
        rate.of_key("192.0.2.1").unwrap();
        for host in ["2001:db8::1", "2001:db8::2"] {
            rate.of_address(address(host)).unwrap();
        }
        assert!(rate.of_address(address("2001:db8::3")).is_err(), "a household is one place");
        rate.of_address(address("2001:db8:0:1::3")).unwrap();
    }

    #[test]
    fn the_time_to_wait_is_rounded_up() {
        for (ms, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(ms)), seconds);
        }
    }
}
