//! British and American spellings of a word. Candidates only: whether the
//! index knows one is looked up elsewhere.

/// Endings and parts that differ; the British one first.
const PARTS: [(&str, &str); 22] = [
    ("isation", "ization"),
    ("isations", "izations"),
    ("ise", "ize"),
    ("ises", "izes"),
    ("ised", "ized"),
    ("ising", "izing"),
    ("iser", "izer"),
    ("yse", "yze"),
    ("ysed", "yzed"),
    ("ysing", "yzing"),
    ("our", "or"),
    ("ours", "ors"),
    ("oured", "ored"),
    ("ouring", "oring"),
    ("oural", "oral"),
    ("tre", "ter"),
    ("tres", "ters"),
    ("ogue", "og"),
    ("ogues", "ogs"),
    ("elling", "eling"),
    ("elled", "eled"),
    ("ence", "ense"),
];

/// Diphthongs that American medicine writes with one letter.
const INSIDE: [(&str, &str); 2] = [("ae", "e"), ("oe", "e")];

/// Whole words, and beginnings of words.
const WORDS: [(&str, &str); 12] = [
    ("programme", "program"),
    ("programmes", "programs"),
    ("fulfil", "fulfill"),
    ("enrol", "enroll"),
    ("skilful", "skillful"),
    ("judgement", "judgment"),
    ("grey", "gray"),
    ("tyre", "tire"),
    ("tumour", "tumor"),
    ("cheque", "check"),
    ("practise", "practice"),
    ("licence", "license"),
];

/// Word beginnings with a diphthong.
const BEGINNINGS: [(&str, &str); 14] = [
    ("paed", "ped"),
    ("anaem", "anem"),
    ("anaes", "anes"),
    ("haem", "hem"),
    ("gynaec", "gynec"),
    ("orthopaed", "orthoped"),
    ("oesoph", "esoph"),
    ("oestr", "estr"),
    ("oedem", "edem"),
    ("foet", "fet"),
    ("diarrhoe", "diarrhe"),
    ("leukaem", "leukem"),
    ("ischaem", "ischem"),
    ("caes", "ces"),
];

/// Other spellings of a lower-case word.
#[must_use]
pub(super) fn variants(word: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut offer = |variant: String| {
        if variant != word && !all.contains(&variant) {
            all.push(variant);
        }
    };
    for (british, american) in WORDS {
        if word == british {
            offer(american.to_owned());
        } else if word == american {
            offer(british.to_owned());
        }
    }
    for (british, american) in BEGINNINGS {
        if let Some(rest) = word.strip_prefix(british) {
            offer(format!("{american}{rest}"));
        } else if let Some(rest) = word.strip_prefix(american) {
            offer(format!("{british}{rest}"));
        }
    }
    for (british, american) in PARTS {
        // Short words are mostly other words: four is not for.
        let stem = |end: &str| word.strip_suffix(end).filter(|stem| stem.len() > 2);
        if let Some(stem) = stem(british) {
            offer(format!("{stem}{american}"));
        } else if let Some(stem) = stem(american) {
            offer(format!("{stem}{british}"));
        }
    }
    for (british, american) in INSIDE {
        if word.len() > 6 && word.contains(british) {
            offer(word.replace(british, american));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::variants;

    #[test]
    fn both_ways() {
        for (british, american) in [
            ("organisation", "organization"),
            ("prioritise", "prioritize"),
            ("behaviour", "behavior"),
            ("behavioural", "behavioral"),
            ("centre", "center"),
            ("programme", "program"),
            ("paediatric", "pediatric"),
            ("anaesthetic", "anesthetic"),
            ("modelling", "modeling"),
            ("catalogue", "catalog"),
        ] {
            assert!(variants(british).contains(&american.to_owned()), "{british}");
            assert!(variants(american).contains(&british.to_owned()), "{american}");
        }
        assert!(variants("ward").is_empty() && variants("four").is_empty());
    }
}
