//! What a query took: the truth about the index, one parameter away.

/// How an answer was found. The counts tell index kinds apart; the answer itself never does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explain {
    /// The index kind that named the candidates.
    pub kind: &'static str,
    /// Why that kind.
    pub because: &'static str,
    /// Segments searched.
    pub segments: u64,
    /// Nodes or cells opened.
    pub nodes: u64,
    /// Boxes compared with the area.
    pub boxes: u64,
    /// Stretches of points named.
    pub runs: u64,
    /// Points in them.
    pub candidates: u64,
    /// Candidates tested exactly; the others were accepted or counted whole.
    pub exact_tests: u64,
    /// Microseconds from the query to the answer.
    pub elapsed_us: u64,
}
