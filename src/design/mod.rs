//! How `nigh` is built and why, kept beside the code so that a moved item breaks the build rather than the reader.
//!
//! There is no code here, only texts: [`overview`] first, then [`index`], [`durability`], [`file_format`],
//! [`operations`], [`migration`] and [`decisions`].

pub mod overview {
    #![doc = include_str!("overview.md")]
}

pub mod index {
    #![doc = include_str!("index.md")]
}

pub mod durability {
    #![doc = include_str!("durability.md")]
}

pub mod file_format {
    #![doc = include_str!("file-format.md")]
}

pub mod operations {
    #![doc = include_str!("operations.md")]
}

pub mod migration {
    #![doc = include_str!("migration.md")]
}

pub mod decisions {
    #![doc = include_str!("decisions.md")]
}
