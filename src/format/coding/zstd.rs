//! Zstandard, with as many frames as there are, and frames that are to be skipped.
//!
//! What surprises: a frame says how far back it refers, and whoever decodes it must remember as much. We remember 8 MiB, which is what
//! `zstd -19` asks for at most and what RFC 9659 allows on the web; a frame that asks for more, up to terabytes, is refused.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Coding, Watched};

/// The registered compression.
pub(super) const ZSTD: Coding = Coding {
    name: "zstd",
    aliases: &[],
    extension: "zst",
    magic: b"\x28\xb5\x2f\xfd",
    decode: |source| {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        let input = BufReader::with_capacity(64 * 1024, Watched::new(source));
        Box::new(Zstd { input, decoder, in_frame: false, failed: false })
    },
};

/// How far back a frame may refer.
const WINDOW_BYTES_MAX: u64 = 8 << 20;

struct Zstd {
    input: BufReader<Watched>,
    decoder: FrameDecoder,
    in_frame: bool,
    failed: bool,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed || buffer.is_empty() {
            return Ok(0);
        }
        self.decode(buffer).map_err(|reason| {
            self.failed = true;
            self.input.get_mut().blame(ZSTD.name, reason)
        })
    }
}

impl Zstd {
    fn decode(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        loop {
            if !self.in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, one).map_err(|error| error.to_string())?;
            }
            let read = self.decoder.read(buffer).map_err(|error| error.to_string())?;
            if self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                self.in_frame = false;
                let (said, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
                if said.is_some() && said != found {
                    return Err("its checksum is another".to_owned());
                }
            }
            if read > 0 {
                return Ok(read);
            }
        }
    }

    /// Reads the head of the next frame; false at the end.
    fn begin_frame(&mut self) -> Result<bool, String> {
        loop {
            if self.input.fill_buf().map_err(|error| error.to_string())?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut skipped = (&mut self.input).take(u64::from(length));
                    let passed = io::copy(&mut skipped, &mut io::sink()).map_err(|error| error.to_string())?;
                    if passed < u64::from(length) {
                        return Err("it ends in the middle of a frame".to_owned());
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
