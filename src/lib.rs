//! `nigh` answers one question exactly: **what is near here?**
//!
//! This is the library under the service of the same name. An [`Engine`](engine::Engine) holds named collections; a
//! [`Change`](collection::Change) puts or removes an item; a [`Query`](query::Query) finds items by place, number, box,
//! geohash cell, polygon and properties, in a total order and in pages. What surprises: the answer, its order and its
//! distances are the same bits on every index kind and on every platform.
//!
//! ```
//! use nigh::collection::{Change, Id, Item, Properties};
//! use nigh::engine::{CollectionName, Engine};
//! use nigh::geometry::{Point, Radius};
//! use nigh::query::Query;
//!
//! let engine = Engine::new();
//! let cafes: CollectionName = "cafes".parse()?;
//! let flore = Item::new(Id::new("flore")?, Point::new(48.8541, 2.3326)?)
//!     .with_properties(Properties::from_json(r#"{"seats": 120}"#)?);
//! engine.submit(&cafes, Change::Put(flore))?;
//!
//! let query = Query::near(Point::new(48.854, 2.333)?).within("200m".parse::<Radius>()?);
//! let answer = engine.ask(&cafes, &query)?;
//! assert_eq!(answer.matched, 1);
//! assert!(answer.hits().all(|hit| hit.distance_m < Some(200.0)));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | if you want | begin at |
//! |---|---|
//! | named collections, as the service has them | [`engine`] |
//! | one collection and its snapshots | [`collection`] |
//! | what can be asked | [`query`], and its [`filter`](query::filter) language |
//! | distances, boxes, polygons, geohashes on their own | [`geometry`] |
//! | an index without items | [`index`] |
//! | items in as CSV, NDJSON or GeoJSON, answers out | [`mod@format`] |
//! | the service inside a program of yours | [`http::serve`] |
//! | how it is built, and why | [`design`] |

pub mod cli;
pub mod collection;
pub mod design;
pub mod engine;
pub mod format;
pub mod generate;
pub mod geometry;
pub mod http;
pub mod index;
pub mod log;
pub mod measure;
pub mod query;
#[cfg(test)]
mod repeatable;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
