//! How `nigh` is built and why, kept beside the code so that a moved item breaks the build rather than the reader.
//!
//! There is no code here, only texts: [`overview`] first, then [`index`], then [`decisions`].

pub mod overview {
    #![doc = include_str!("overview.md")]
}

pub mod index {
    #![doc = include_str!("index.md")]
}

pub mod decisions {
    #![doc = include_str!("decisions.md")]
}
