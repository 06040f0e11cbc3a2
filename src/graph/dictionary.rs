//! Terms and their numbers. A term is stored once, as bytes, and never
//! forgotten. Not for quads.

use crate::graph::ranks::Ranks;
use crate::rdf::TermId;
use hashbrown::HashTable;
use oxigraph::model::{
    BaseDirection, BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, TermRef, Triple,
};
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// The default graph's place in the graph column of a quad.
pub const DEFAULT_GRAPH: TermId = 0;

/// What follows the language of a string with a base direction, as in the
/// concrete syntaxes; no language tag has two hyphens side by side.
const LEFT_TO_RIGHT: &[u8] = b"--ltr";
const RIGHT_TO_LEFT: &[u8] = b"--rtl";

/// A small change copies the tail, so it is kept short: a longer one (256
/// terms, 20 kB) is merged into the middle, and that (16 k) into the base, in
/// the background. A middle that is so many times longer waits for that.
const TAIL_LIMIT: usize = 1 << 8;
const MIDDLE_LIMIT: usize = 1 << 14;
const PATIENCE: usize = 8;

/// Terms whose bytes are brought near at once.
pub(super) const AHEAD: usize = 32;

/// So many terms are ranked in less than the time of a query.
const RANKED_AT_ONCE: usize = 1 << 12;

/// A run of terms with consecutive numbers.
#[derive(Clone, Default)]
struct Segment {
    arena: Vec<u8>,
    ends: Vec<usize>,
    first: TermId,
    table: HashTable<TermId>,
    ranks: RanksOnce,
}

/// Ranks that are made once, when they are first asked for; a clone of the
/// terms is there to be added to, and has none.
#[derive(Default)]
struct RanksOnce {
    made: OnceLock<Ranks>,
    begun: AtomicBool,
}

impl Clone for RanksOnce {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Segment {
    fn starting_at(first: TermId) -> Self {
        Self { first, ..Self::default() }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn bytes(&self, id: TermId) -> Option<&[u8]> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.arena.get(start..end)
    }

    /// Its size in memory (bytes), ranks apart.
    fn memory(&self) -> usize {
        self.arena.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.table.allocation_size()
    }

    fn make_ranks(&self) {
        self.ranks.made.get_or_init(|| {
            let ids = self.first..self.first + TermId::try_from(self.len()).unwrap_or(0);
            Ranks::new(self.first, ids.map(|id| self.bytes(id).unwrap_or_default()))
        });
    }

    fn find(&self, encoded: &[u8], hash: u64) -> Option<TermId> {
        self.table.find(hash, |id| self.bytes(*id) == Some(encoded)).copied()
    }

    fn push(&mut self, encoded: &[u8], hash: u64) -> TermId {
        let id = self.first + TermId::try_from(self.ends.len()).unwrap_or(TermId::MAX);
        self.arena.extend_from_slice(encoded);
        self.ends.push(self.arena.len());
        let Self { arena, ends, first, table, .. } = self;
        table.insert_unique(hash, id, |id| {
            let index = (*id - *first) as usize;
            let start = if index == 0 { 0 } else { ends[index - 1] };
            hash_of(&arena[start..ends[index]])
        });
        id
    }
}

/// All terms of one revision. Cloning is cheap; a clone is a snapshot.
#[derive(Clone)]
pub struct Dictionary {
    base: Arc<Segment>,
    merging: Option<Merging>,
    middle: Arc<Segment>,
    tail: Arc<Segment>,
}

/// What was the middle, while a base is made that has it.
#[derive(Clone)]
struct Merging {
    terms: Arc<Segment>,
    base: Arc<OnceLock<Arc<Segment>>>,
}

impl Default for Dictionary {
    fn default() -> Self {
        let empty = Arc::new(Segment::starting_at(1));
        let middle = Arc::clone(&empty);
        Self { base: Arc::clone(&empty), merging: None, middle, tail: empty }
    }
}

impl Dictionary {
    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of terms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments().map(Segment::len).sum()
    }

    /// The terms in the order of their numbers.
    fn segments(&self) -> impl Iterator<Item = &Segment> {
        let merging = self.merging.as_ref().map(|merging| &*merging.terms);
        [Some(&*self.base), merging, Some(&*self.middle), Some(&*self.tail)].into_iter().flatten()
    }

    /// The encoded form of a term (see [`encode`]).
    #[must_use]
    pub fn bytes(&self, id: TermId) -> Option<&[u8]> {
        self.segments().find_map(|segment| segment.bytes(id))
    }

    /// Brings the bytes of some terms near, before they are read one by one: to
    /// wait for memory side by side takes a fraction of waiting for each.
    pub(super) fn read_ahead(&self, ids: impl Iterator<Item = TermId>) {
        let base = &*self.base;
        let mut places = [[0; 2]; AHEAD];
        for (place, id) in places.iter_mut().zip(ids) {
            let index = id.wrapping_sub(base.first) as usize;
            let end = |index: usize| base.ends.get(index).copied().unwrap_or(0);
            *place = [end(index.wrapping_sub(1)), end(index).wrapping_sub(1)];
        }
        let byte = |place: &usize| base.arena.get(*place).copied().unwrap_or(0);
        std::hint::black_box(places.iter().flatten().map(byte).fold(0, u8::wrapping_add));
    }

    /// The size in memory (bytes), with what terms are sorted by once it is made.
    #[must_use]
    pub fn memory(&self) -> usize {
        let ranks = self.base.ranks.made.get().map_or(0, Ranks::memory);
        self.segments().map(Segment::memory).sum::<usize>() + ranks
    }

    /// The ranks of the terms (but of the latest); none while they are made. They
    /// are made once asked for, in the background: the first queries do without.
    pub(super) fn ranks(&self) -> Option<&Ranks> {
        let base = &self.base;
        if let Some(ranks) = base.ranks.made.get() {
            return Some(ranks);
        }
        if base.len() <= RANKED_AT_ONCE {
            base.make_ranks();
        } else if !base.ranks.begun.swap(true, Relaxed) {
            let base = Arc::clone(base);
            // Without a thread, as without ranks, queries are slower.
            let _ = std::thread::Builder::new()
                .name("ranks".to_owned())
                .spawn(move || base.make_ranks());
        }
        base.ranks.made.get()
    }

    /// The term with this number.
    pub fn term(&self, id: TermId) -> Option<Term> {
        self.bytes(id).and_then(decode)
    }

    /// The number of a term, if it is known.
    #[must_use]
    pub fn find(&self, term: TermRef<'_>) -> Option<TermId> {
        let mut encoded = Vec::with_capacity(64);
        encode(term, &mut encoded);
        self.find_encoded(&encoded)
    }

    /// The number of an encoded term, if it is known.
    #[must_use]
    pub fn find_encoded(&self, encoded: &[u8]) -> Option<TermId> {
        self.find_hashed(encoded, hash_of(encoded))
    }

    fn find_hashed(&self, encoded: &[u8], hash: u64) -> Option<TermId> {
        self.segments().find_map(|segment| segment.find(encoded, hash))
    }

    /// The number of an encoded term, which is added if it is new.
    pub fn intern_encoded(&mut self, encoded: &[u8]) -> TermId {
        let hash = hash_of(encoded);
        if let Some(id) = self.find_hashed(encoded, hash) {
            return id;
        }
        Arc::make_mut(&mut self.tail).push(encoded, hash)
    }

    /// Merges what has grown long. Numbers do not change.
    pub fn settle(&mut self) {
        self.take_over(false);
        if self.tail.len() > TAIL_LIMIT {
            merge(&mut self.middle, &mut self.tail);
        }
        if self.middle.len() <= MIDDLE_LIMIT {
            return;
        }
        if self.middle.len() > PATIENCE * MIDDLE_LIMIT {
            self.take_over(true);
        }
        if self.merging.is_some() {
            return;
        }
        if self.base.len() <= MIDDLE_LIMIT {
            merge(&mut self.base, &mut self.middle);
        } else {
            self.merge_in_background();
        }
    }

    fn merge_in_background(&mut self) {
        let next = self.tail.first;
        let terms = std::mem::replace(&mut self.middle, Arc::new(Segment::starting_at(next)));
        let merged = Arc::new(OnceLock::new());
        let (mut base, mut moved, made) =
            (Arc::clone(&self.base), Arc::clone(&terms), Arc::clone(&merged));
        let work = move || {
            merge(&mut base, &mut moved);
            let _ = made.set(base);
        };
        self.merging = Some(Merging { terms, base: merged });
        if std::thread::Builder::new().name("terms".to_owned()).spawn(work).is_err()
            && let Some(merging) = self.merging.take()
        {
            let mut terms = merging.terms;
            merge(&mut self.base, &mut terms);
        }
    }

    /// Takes over the base that was being made, if it is there; or waits for it.
    fn take_over(&mut self, wait: bool) {
        let Some(merging) = &self.merging else { return };
        let base = if wait { Some(merging.base.wait()) } else { merging.base.get() };
        if let Some(base) = base {
            self.base = Arc::clone(base);
            self.merging = None;
        }
    }
}

#[cfg(test)]
impl Dictionary {
    /// Merges all, however short, so that all terms so far are ranked.
    pub(super) fn settle_all(&mut self) {
        self.take_over(true);
        merge(&mut self.middle, &mut self.tail);
        merge(&mut self.base, &mut self.middle);
    }
}

/// Moves the terms of a segment to the one before it.
fn merge(into: &mut Arc<Segment>, from: &mut Arc<Segment>) {
    let next = from.first + TermId::try_from(from.len()).unwrap_or(0);
    let moved = std::mem::replace(from, Arc::new(Segment::starting_at(next)));
    if into.len() == 0 {
        *into = moved;
        // After a first load, which nobody has seen yet.
        if let Some(first) = Arc::get_mut(into) {
            first.arena.shrink_to_fit();
            first.ends.shrink_to_fit();
        }
        return;
    }
    let into = Arc::make_mut(into);
    into.arena.reserve_exact(moved.arena.len());
    into.ends.reserve_exact(moved.len());
    for index in 0..moved.len() {
        let id = moved.first + TermId::try_from(index).unwrap_or(0);
        if let Some(encoded) = moved.bytes(id) {
            into.push(encoded, hash_of(encoded));
        }
    }
}

fn hash_of(encoded: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(encoded);
    hasher.finish()
}

/// Writes a term as bytes: a tag (`I` IRI, `B` blank node, `S` simple string,
/// `L` language-tagged string, `T` other typed literal, `Q` triple term), then
/// for `L` and `T` the tag (with `--ltr` or `--rtl` where it has a direction)
/// or datatype and a zero byte, then the value; for `Q` its three terms, each
/// after its length in four bytes. Two terms have the same bytes exactly if
/// they are the same term (RDF 1.2 Concepts §3).
pub fn encode(term: TermRef<'_>, out: &mut Vec<u8>) {
    match term {
        TermRef::NamedNode(iri) => {
            out.push(b'I');
            out.extend_from_slice(iri.as_str().as_bytes());
        }
        TermRef::BlankNode(node) => {
            out.push(b'B');
            out.extend_from_slice(node.as_str().as_bytes());
        }
        TermRef::Literal(literal) => {
            if let Some(language) = literal.language() {
                out.push(b'L');
                out.extend_from_slice(language.as_bytes());
                if let Some(direction) = literal.direction() {
                    out.extend_from_slice(match direction {
                        BaseDirection::Ltr => LEFT_TO_RIGHT,
                        BaseDirection::Rtl => RIGHT_TO_LEFT,
                    });
                }
                out.push(0);
            } else if literal.datatype() == oxigraph::model::vocab::xsd::STRING {
                out.push(b'S');
            } else {
                out.push(b'T');
                out.extend_from_slice(literal.datatype().as_str().as_bytes());
                out.push(0);
            }
            out.extend_from_slice(literal.value().as_bytes());
        }
        TermRef::Triple(triple) => {
            out.push(b'Q');
            let subject = Term::from(triple.subject.clone());
            let parts =
                [subject.as_ref(), triple.predicate.as_ref().into(), triple.object.as_ref()];
            for part in parts {
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                encode(part, out);
                let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
                out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
    }
}

/// The language of a string, without its base direction.
pub(super) fn undirected(language: &[u8]) -> &[u8] {
    let without = |mark| language.strip_suffix(mark);
    without(LEFT_TO_RIGHT).or_else(|| without(RIGHT_TO_LEFT)).unwrap_or(language)
}

/// Reads back what [`encode`] wrote. `None` for damaged bytes.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Term> {
    let (tag, rest) = bytes.split_first()?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let pair = || {
        let zero = rest.iter().position(|b| *b == 0)?;
        Some((text(&rest[..zero])?, text(&rest[zero + 1..])?))
    };
    Some(match tag {
        b'I' => NamedNode::new_unchecked(text(rest)?).into(),
        b'B' => BlankNode::new_unchecked(text(rest)?).into(),
        b'S' => Literal::new_simple_literal(text(rest)?).into(),
        b'L' => {
            let (language, value) = pair()?;
            let directed =
                [(LEFT_TO_RIGHT, BaseDirection::Ltr), (RIGHT_TO_LEFT, BaseDirection::Rtl)]
                    .into_iter()
                    .find_map(|(mark, direction)| {
                        let mark = std::str::from_utf8(mark).ok()?;
                        Some((language.strip_suffix(mark)?, direction))
                    });
            match directed {
                Some((language, direction)) => {
                    Literal::new_directional_language_tagged_literal_unchecked(
                        value, language, direction,
                    )
                    .into()
                }
                None => Literal::new_language_tagged_literal_unchecked(value, language).into(),
            }
        }
        b'T' => {
            let (datatype, value) = pair()?;
            Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype)).into()
        }
        b'Q' => {
            let mut rest = rest;
            let mut part = || {
                let (length, more) = rest.split_first_chunk::<4>()?;
                let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                let (part, more) = more.split_at_checked(length)?;
                rest = more;
                decode(part)
            };
            let subject = match part()? {
                Term::NamedNode(iri) => NamedOrBlankNode::from(iri),
                Term::BlankNode(node) => node.into(),
                Term::Literal(_) | Term::Triple(_) => return None,
            };
            let Term::NamedNode(predicate) = part()? else { return None };
            let object = part()?;
            rest.is_empty().then(|| Triple::new(subject, predicate, object).into())?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back_as_they_were() {
        let triple = Triple::new(
            BlankNode::new_unchecked("x1"),
            NamedNode::new_unchecked("http://a/p"),
            Literal::new_simple_literal("said"),
        );
        let nested = Triple::new(
            NamedNode::new_unchecked("http://a/b"),
            NamedNode::new_unchecked("http://a/q"),
            Term::from(triple.clone()),
        );
        let directed = |direction| {
            Literal::new_directional_language_tagged_literal_unchecked("a", "ar", direction)
        };
        let terms: [Term; 11] = [
            NamedNode::new_unchecked("http://a/b").into(),
            BlankNode::new_unchecked("x1").into(),
            Literal::new_simple_literal("").into(),
            Literal::new_language_tagged_literal_unchecked("été", "fr-ca").into(),
            Literal::new_typed_literal("01", oxigraph::model::vocab::xsd::INTEGER).into(),
            Literal::new_typed_literal("1", oxigraph::model::vocab::xsd::INTEGER).into(),
            Literal::new_language_tagged_literal_unchecked("a", "ar").into(),
            directed(BaseDirection::Ltr).into(),
            directed(BaseDirection::Rtl).into(),
            triple.into(),
            nested.into(),
        ];
        let mut dictionary = Dictionary::default();
        let mut ids = Vec::new();
        for term in &terms {
            let mut encoded = Vec::new();
            encode(term.as_ref(), &mut encoded);
            ids.push(dictionary.intern_encoded(&encoded));
        }
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        for (id, term) in ids.iter().zip(&terms) {
            assert_eq!(dictionary.term(*id).as_ref(), Some(term));
            assert_eq!(dictionary.find(term.as_ref()), Some(*id));
        }
        assert_eq!(dictionary.term(0), None);
        assert_eq!(dictionary.term(12), None);
        assert_eq!(decode(b"Q\0\0\0\x09Ihttp"), None, "cut short");
    }

    #[test]
    fn settling_keeps_the_numbers() {
        let mut dictionary = Dictionary::default();
        for round in 0..3_u32 {
            for n in 0..70_000_u32 {
                let encoded = format!("S{round}-{n}");
                assert_eq!(dictionary.intern_encoded(encoded.as_bytes()), round * 70_000 + n + 1);
            }
            dictionary.settle();
            assert_eq!(dictionary.tail.len(), 0, "a long tail is merged");
        }
        assert!(dictionary.merging.is_some(), "the base is made in the background");
        let during = dictionary.clone();
        assert_eq!(dictionary.intern_encoded(b"S1-7"), 70_008);
        assert_eq!(dictionary.intern_encoded(b"new"), 210_001);
        dictionary.take_over(true);
        dictionary.settle();
        dictionary.take_over(true);
        assert_eq!((dictionary.base.len(), during.len()), (210_000, 210_000));
        assert_eq!(dictionary.find_encoded(b"new"), Some(210_001));
        assert_eq!(dictionary.find_encoded(b"S1-7"), Some(70_008));
        assert_eq!(dictionary.bytes(140_001), Some(&b"S2-0"[..]));
        assert_eq!(dictionary.len(), 210_001);
        assert_eq!(during.find_encoded(b"S2-0"), Some(140_001));
    }
}
