//! How text becomes words, for records and for queries alike.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer, Token, TokenStream,
};

/// Longer words are noise (addresses, hashes); bytes.
const LONGEST_WORD: usize = 60;

/// Words, lower case, without accents, English stems. Stop words stay.
pub(super) fn analyser() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The same words, at the same positions, as they are written.
pub(super) fn surface_analyser() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

thread_local! {
    // An analyser takes longer to make than a title to take apart.
    static ANALYSERS: std::cell::RefCell<[TextAnalyzer; 2]> =
        std::cell::RefCell::new([analyser(), surface_analyser()]);
}

/// Calls with each word of a text.
pub(super) fn each_word(text: &str, stems: bool, mut each: impl FnMut(&Token)) {
    ANALYSERS.with_borrow_mut(|analysers| {
        let mut stream = analysers[usize::from(!stems)].token_stream(text);
        while stream.advance() {
            each(stream.token());
        }
    });
}

/// The index words (stems) of a text with their places in it (byte offsets).
#[must_use]
pub fn words_of(text: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let mut words = Vec::new();
    each_word(text, true, |token| {
        words.push((token.text.clone(), token.offset_from..token.offset_to));
    });
    words
}

/// The words of a text as they are written, lower case and without accents.
#[must_use]
pub fn surface_words_of(text: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let mut words = Vec::new();
    each_word(text, false, |token| {
        words.push((token.text.clone(), token.offset_from..token.offset_to));
    });
    words
}
