//! gzip, with as many members as there are: `cat a.gz b.gz` is a gzip file.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::{Coding, Watched};

/// The registered compression.
pub(super) const GZIP: Coding = Coding {
    name: "gzip",
    aliases: &["x-gzip"],
    extension: "gz",
    magic: b"\x1f\x8b",
    decode: |source| Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, Watched::new(source))))),
};

struct Gzip(MultiGzDecoder<BufReader<Watched>>);

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| self.0.get_mut().get_mut().blame(GZIP.name, error))
    }
}
