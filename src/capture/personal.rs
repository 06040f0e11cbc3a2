//! Finds what looks like personal data in a text, so that a person can take it
//! out before the text is kept. Not for deciding: what is found may be
//! harmless, and what is not found may still be somebody's name.

use regex::Regex;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::OnceLock;

/// What a find looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// An address for e-mail.
    Email,
    /// A telephone number.
    Phone,
    /// An NHS number: ten digits of which the last checks the others.
    NhsNumber,
    /// A National Insurance number.
    NationalInsurance,
    /// A name after a title (Dr, Mrs, Professor), or one that somebody says is theirs.
    Name,
    /// A name that stands before what somebody says.
    Speaker,
    /// A date of birth.
    DateOfBirth,
    /// A full postcode.
    Postcode,
}

impl Sort {
    /// The name in answers to programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::NhsNumber => "nhs-number",
            Self::NationalInsurance => "national-insurance-number",
            Self::Name => "name",
            Self::Speaker => "speaker",
            Self::DateOfBirth => "date-of-birth",
            Self::Postcode => "postcode",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Email => "Email address",
            Self::Phone => "Telephone number",
            Self::NhsNumber => "NHS number",
            Self::NationalInsurance => "National Insurance number",
            Self::Name => "Name of a person",
            Self::Speaker => "Name of a speaker",
            Self::DateOfBirth => "Date of birth",
            Self::Postcode => "Postcode",
        }
    }

    /// A neutral word to put in its place.
    #[must_use]
    pub fn neutral(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[telephone number]",
            Self::NhsNumber => "[NHS number]",
            Self::NationalInsurance => "[National Insurance number]",
            Self::Name | Self::Speaker => "[name]",
            Self::DateOfBirth => "[date of birth]",
            Self::Postcode => "[postcode]",
        }
    }
}

/// Something in a text that looks like personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// What it looks like.
    pub sort: Sort,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What stands there.
    pub text: String,
}

/// Titles before a name, as they are written in the middle of a sentence.
const TITLES: &str = "Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Sir|Dame|Lord|Lady|Baroness|Rev|Reverend|Sister|Nurse|dr|mr|mrs|prof";

/// Words with a capital letter that follow a title and are no surname, in the
/// singular.
const NO_SURNAME: &[&str] = &[
    "Advocate",
    "Advisor",
    "Associate",
    "Bank",
    "Chancellor",
    "Chief",
    "Clinic",
    "Clinical",
    "Consultant",
    "Director",
    "Directorate",
    "Education",
    "Educator",
    "Emeritus",
    "Forum",
    "Hospital",
    "In",
    "Innovation",
    "Lead",
    "Led",
    "Manager",
    "Mayor",
    "Of",
    "Office",
    "On",
    "Organisation",
    "Practitioner",
    "Prescriber",
    "Site",
    "Specialist",
    "Staffing",
    "Station",
    "Teams",
    "The",
    "Trust",
    "Ward",
    "Who",
];

/// Words in front of a colon that tell a role or a topic, not a name.
const NO_SPEAKER: &[&str] = &[
    "action",
    "actions",
    "answer",
    "background",
    "barriers",
    "case",
    "chair",
    "chief",
    "clinical",
    "clinician",
    "coordinator",
    "date",
    "deputy",
    "director",
    "evidence",
    "executive",
    "facilitator",
    "finance",
    "first",
    "improvement",
    "innovation",
    "interview",
    "interviewee",
    "interviewer",
    "key",
    "lead",
    "manager",
    "medical",
    "meeting",
    "moderator",
    "next",
    "notes",
    "nurse",
    "observer",
    "officer",
    "operations",
    "our",
    "participant",
    "partner",
    "partners",
    "patient",
    "point",
    "points",
    "practice",
    "programme",
    "project",
    "question",
    "research",
    "researcher",
    "respondent",
    "role",
    "second",
    "site",
    "speaker",
    "sponsor",
    "staff",
    "steps",
    "the",
    "theme",
    "themes",
    "third",
    "topic",
    "transformation",
    "trust",
    "what",
    "who",
    "why",
];

struct Patterns {
    email: Regex,
    phone: Regex,
    ten_digits: Regex,
    insurance: Regex,
    titled: Regex,
    lower_titled: Regex,
    own_name: Regex,
    speaker: Regex,
    birth: Regex,
    postcode: Regex,
}

/// # Panics
///
/// Never: the patterns are constants, and a test reads them.
fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let regex = |text: &str| Regex::new(text).expect("a constant pattern");
        Patterns {
            email: regex(
                r"(?i)\b[a-z0-9][a-z0-9._%+'-]*(?:@|\s?(?:\(at\)|\[at\])\s?)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b",
            ),
            phone: regex(
                r"(?:\+|\b00)\d{1,3}[ .\u{a0}-]?(?:\(0\)[ .\u{a0}-]?)?\(?\d(?:[ .()\u{a0}-]{0,2}\d){6,11}|\(?\b0[1-9](?:[ .()\u{a0}-]{0,2}\d){8,9}",
            ),
            ten_digits: regex(r"\d{3}[ \u{a0}.-]?\d{3}[ \u{a0}.-]?\d{4}"),
            insurance: regex(r"(?i)\b[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b"),
            titled: regex(&format!(
                r"\b(?:{TITLES})(?:\.[ \u{{a0}}]*|[ \u{{a0}}]+)(?:\p{{Lu}}\.?[ \u{{a0}}]+)*(\p{{Lu}}(?:\p{{L}}|['’]\p{{L}}|-\p{{Lu}})*\p{{Ll}}\p{{L}}*)((?:[ \u{{a0}}](?:de|der|van|von|la|al|bin)\b)*(?:[ \u{{a0}}]\p{{Lu}}(?:\p{{L}}|['’]\p{{L}}|-\p{{Lu}})*\p{{Ll}}\p{{L}}*){{0,2}})"
            )),
            lower_titled: regex(r"\b(?:mr|mrs)\.? (\p{Ll}[\p{Ll}'’-]{2,})"),
            own_name: regex(
                r"\b(?:[Mm]y name is|[Mm]y name['’]s|[Hh]er name is|[Hh]is name is|is called Dr) (\p{Lu}\p{Ll}+(?:[ -]\p{Lu}\p{Ll}+){0,2})",
            ),
            speaker: regex(
                r"(?m)^[ \t]*(\p{Lu}\p{Ll}+(?:[ -]\p{Lu}['’\p{L}]*\p{Ll}){1,2})(?:[ \t]*\[?\(?\d{1,2}:\d{2}(?::\d{2})?\)?\]?)?[ \t]*:",
            ),
            birth: regex(
                r"(?i)\b(?:d\.?o\.?b\b\.?|dates? of birth|birthday|born(?: on)?)[ :,(is\u{a0}]{0,6}(?:the )?((?:\d{1,2}[/. -]\d{1,2}[/. -](?:\d{4}|\d{2}))|(?:\d{1,2}(?:st|nd|rd|th)?(?: of)? [a-z]{3,9},? \d{4})|(?:\d{4}-\d{2}-\d{2}))\b",
            ),
            postcode: regex(
                r"\b(?:GIR ?0AA|[A-PR-UWYZ](?:[0-9][0-9A-HJKPSTUW]?|[A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) ?[0-9][ABD-HJLNP-UW-Z]{2})\b",
            ),
        }
    })
}

/// Everything in a text that looks like personal data, in its order, without
/// overlaps.
#[must_use]
pub fn find(text: &str) -> Vec<Find> {
    let patterns = patterns();
    let mut found = Vec::new();
    let mut say = |sort: Sort, range: Range<usize>| {
        found.push(Find { sort, text: text[range.clone()].to_owned(), range });
    };
    for part in patterns.email.find_iter(text) {
        say(Sort::Email, part.range());
    }
    for part in patterns.ten_digits.find_iter(text) {
        let range = part.range();
        if !apart(text, &range) {
            continue;
        }
        if nhs_number(part.as_str()) || after_label(text, range.start) {
            say(Sort::NhsNumber, range);
        }
    }
    for part in patterns.phone.find_iter(text) {
        if apart(text, &part.range()) && phone(part.as_str()) {
            let start = part.start();
            // A bracket that opens before the number belongs to it only if it closes in it.
            let opens = part.as_str().starts_with('(') && !part.as_str().contains(')');
            say(Sort::Phone, start + usize::from(opens)..part.end());
        }
    }
    for part in patterns.insurance.find_iter(text) {
        say(Sort::NationalInsurance, part.range());
    }
    for part in patterns.titled.captures_iter(text) {
        let (Some(whole), Some(first)) = (part.get(0), part.get(1)) else { continue };
        if is_surname(first.as_str()) {
            // A role or an organisation after the name is not part of it.
            let rest = part.get(2).map_or("", |rest| rest.as_str());
            let kept: usize = rest
                .split_inclusive([' ', '\u{a0}'])
                .skip(1)
                .take_while(|word| is_surname(word.trim()))
                .map(str::len)
                .sum();
            let end = if kept == 0 { first.end() } else { first.end() + kept + 1 };
            let end = end.min(whole.end());
            let end = whole.start() + text[whole.start()..end].trim_end().len();
            say(Sort::Name, whole.start()..end);
        }
    }
    for part in patterns.lower_titled.captures_iter(text) {
        let scans = ["imag", "scan", "angio", "spectro", "and", "the", "machine"];
        if let Some(word) = part.get(1)
            && !scans.iter().any(|scan| word.as_str().starts_with(scan))
            && let Some(whole) = part.get(0)
        {
            say(Sort::Name, whole.range());
        }
    }
    for name in patterns.own_name.captures_iter(text).filter_map(|part| part.get(1)) {
        say(Sort::Name, name.range());
    }
    let speakers: Vec<_> =
        patterns.speaker.captures_iter(text).filter_map(|part| part.get(1)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &speakers {
        *times.entry(name.as_str()).or_default() += 1;
    }
    for name in &speakers {
        let role = name
            .as_str()
            .split([' ', '-'])
            .any(|word| NO_SPEAKER.contains(&word.to_lowercase().as_str()));
        // Who speaks, speaks more than once; a heading stands once.
        if !role && times.get(name.as_str()).is_some_and(|times| *times > 1) {
            say(Sort::Speaker, name.range());
        }
    }
    for date in patterns.birth.captures_iter(text).filter_map(|part| part.get(1)) {
        say(Sort::DateOfBirth, date.range());
    }
    for part in patterns.postcode.find_iter(text) {
        say(Sort::Postcode, part.range());
    }
    without_overlaps(found)
}

fn is_surname(word: &str) -> bool {
    !NO_SURNAME.contains(&word)
        && !word.strip_suffix('s').is_some_and(|one| NO_SURNAME.contains(&one))
}

/// The earliest first; of those that overlap, the longest, then the more telling.
fn without_overlaps(mut found: Vec<Find>) -> Vec<Find> {
    found.sort_by_key(|find| (std::cmp::Reverse(find.range.len()), find.sort, find.range.start));
    let mut kept: BTreeMap<usize, Find> = BTreeMap::new();
    for find in found {
        // Those that are kept stand apart: only the last that begins before the end counts.
        let before = kept.range(..find.range.end).next_back();
        if before.is_none_or(|(_, before)| before.range.end <= find.range.start) {
            kept.insert(find.range.start, find);
        }
    }
    kept.into_values().collect()
}

/// Whether digits stand for themselves, not within a longer number, an amount
/// of money or a word.
fn apart(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let mut after = text[range.end..].chars();
    let next = after.next();
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '£' | '$' | '€' | '_' | '/' | '#');
    // A decimal point or a thousands separator goes on with a digit.
    let goes_on =
        matches!(next, Some('.' | ',')) && after.next().is_some_and(|c| c.is_ascii_digit());
    !before.is_some_and(|c| joins(c) || c == '.')
        && !next.is_some_and(|c| c.is_alphanumeric() || c == '%')
        && !goes_on
}

/// Whether ten digits are an NHS number: the last is eleven less the rest of
/// the weighted sum (weights 10 to 2) divided by eleven; eleven counts as
/// nought, and ten never occurs.
#[must_use]
pub fn nhs_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != 10 || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let sum: u32 =
        digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    let check = (11 - sum % 11) % 11;
    check != 10 && check == digits[9]
}

/// Whether the words before say that an NHS number follows, so that one with a
/// slip in it is found as well.
fn after_label(text: &str, start: usize) -> bool {
    let before: String = text[..start].chars().rev().take(24).collect();
    let before: String = before.chars().rev().collect::<String>().to_lowercase();
    let before = before.trim_end_matches([' ', ':', '.', '#', '(', '\u{a0}']);
    ["nhs number", "nhs no", "nhs num", "nhs number is", "nhs id", "hospital number"]
        .iter()
        .any(|label| before.ends_with(label))
}

/// Whether digits are a telephone number: nine or ten after the nought in the
/// United Kingdom, or with a country's code.
fn phone(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let abroad = text.trim_start_matches('(').starts_with('+') || digits.starts_with("00");
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    if abroad {
        return match digits.strip_prefix("44") {
            Some(rest) => (9..=10).contains(&rest.trim_start_matches('0').len()),
            None => (8..=15).contains(&digits.len()),
        };
    }
    digits.starts_with('0')
        && (10..=11).contains(&digits.len())
        && !digits.starts_with("00")
        // 04 and 06 are not in use.
        && !matches!(digits.as_bytes().get(1), Some(b'4' | b'6'))
}

/// A find with some of the text around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// What stands before it.
    pub before: String,
    /// The find itself.
    pub text: String,
    /// What stands after it.
    pub after: String,
}

/// The words around a find.
#[must_use]
pub fn context(text: &str, find: &Find) -> Context {
    const AROUND: usize = 60;
    let line = |c: char| c == '\n';
    let before = text[..find.range.start].rsplit(line).next().unwrap_or_default();
    let after = text[find.range.end..].split(line).next().unwrap_or_default();
    let cut = before.char_indices().rev().nth(AROUND).map(|(at, _)| at);
    let before = match cut {
        Some(at) => {
            let word = before[at..].find(' ').map_or(at, |space| at + space + 1);
            format!("… {}", &before[word..])
        }
        None => before.to_owned(),
    };
    let cut = after.char_indices().nth(AROUND).map(|(at, _)| at);
    let after = match cut {
        Some(at) => {
            let word = after[..at].rfind(' ').unwrap_or(at);
            format!("{} …", &after[..word])
        }
        None => after.to_owned(),
    };
    Context { before, text: find.text.clone(), after }
}

/// What a person decides about a find, for every place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Another word takes its place.
    Replace(String),
    /// It is no personal data, for a reason.
    Keep(String),
}

/// Puts neutral words where they were decided on. Finds that nobody decided on
/// stay; so does what is decided on and was not found.
#[must_use]
pub fn replace(text: &str, decisions: &[(String, Decision)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    let decisions: HashMap<&str, &Decision> =
        decisions.iter().map(|(words, decision)| (words.as_str(), decision)).collect();
    for find in find(text) {
        if let Some(Decision::Replace(word)) = decisions.get(find.text.as_str()) {
            result.push_str(&text[end..find.range.start]);
            result.push_str(word);
            end = find.range.end;
        }
    }
    result.push_str(&text[end..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Sort, String)> {
        find(text)
            .into_iter()
            .inspect(|find| assert_eq!(&text[find.range.clone()], find.text))
            .map(|find| (find.sort, find.text))
            .collect()
    }

    #[track_caller]
    fn check(text: &str, sort: Sort, expected: &str) {
        assert_eq!(found(text), [(sort, expected.to_owned())], "{text}");
    }

    #[track_caller]
    fn clean(text: &str) {
        assert_eq!(found(text), [], "{text}");
    }

    #[test]
    fn addresses_for_mail() {
        check("write to jo.bloggs@nhs.net, please", Sort::Email, "jo.bloggs@nhs.net");
        check("(J.O'Neil+x@trust.nhs.uk).", Sort::Email, "J.O'Neil+x@trust.nhs.uk");
        check("jo.bloggs [at] nhs.net", Sort::Email, "jo.bloggs [at] nhs.net");
        clean("follow @NHSEngland, or meet at 4 @ the library");
    }

    #[test]
    fn telephone_numbers() {
        for number in [
            "020 7946 0000",
            "02079460000",
            "(020) 7946 0000",
            "01632 960 001",
            "01632-960001",
            "07700 900123",
            "07700 900 123",
            "+44 7700 900123",
            "+44 (0)20 7946 0000",
            "0044 20 7946 0000",
            "0161 496 0123",
            "+353 1 234 5678",
        ] {
            check(&format!("Ring {number} after ten."), Sort::Phone, number);
        }
        clean("The budget rose from 0.75 to 012 per cent over 2019 2020 2021.");
        clean("ISBN 9780306406157, grant 1234567, £01632960001 spent");
        clean("reference 10/20/3000/41 and 0300 only");
    }

    #[test]
    fn nhs_numbers_by_their_check_digit() {
        for number in ["943 476 5919", "9434765919", "943-476-5919", "943\u{a0}476\u{a0}5919"] {
            check(&format!("Patient {number} was seen"), Sort::NhsNumber, number);
        }
        // One digit off.
        clean("Order 943 476 5918 was late");
        clean("Order 9434765910 was late");
        // A slip in what is called an NHS number is found all the same.
        check("NHS number: 943 476 5918", Sort::NhsNumber, "943 476 5918");
        check("nhs no. 9434765918", Sort::NhsNumber, "9434765918");
        // Not within something longer, and not as money.
        clean("code 19434765919, £9434765919, 9434765919.25, A9434765919B");
    }

    #[test]
    fn the_check_digit_as_published() {
        // 401 023 2137 is the worked example of the NHS data dictionary.
        assert!(nhs_number("401 023 2137"));
        assert!(nhs_number("9434765919"));
        // A sum that leaves one asks for ten, which never occurs; equal digits are a filler.
        assert!(!nhs_number("1111111111") && !nhs_number("0000000000"));
        assert!(!nhs_number("123") && !nhs_number("94347659190"));
        let valid = (0..10).filter(|last| nhs_number(&format!("401023213{last}"))).count();
        assert_eq!(valid, 1);
    }

    #[test]
    fn names_after_titles() {
        for name in [
            "Dr Patel",
            "Dr. Patel",
            "Mrs O'Brien",
            "Mr J. Smith-Jones",
            "Ms Amara Okafor",
            "Professor Jane van der Berg",
            "Prof. McDonald",
            "Dame Élodie Martin",
            "Sir John Bell",
            "Miss Ng",
            "mr Jones",
            "dr Smith",
            "Sister Brown",
        ] {
            check(&format!("It was {name}, who left."), Sort::Name, name);
        }
        check("we asked mrs jones", Sort::Name, "mrs jones");
        check("Hello, my name is Jane Smith and I lead it", Sort::Name, "Jane Smith");
        check("Then Dr Patel Director of Innovation spoke", Sort::Name, "Dr Patel");
    }

    #[test]
    fn titles_without_a_name() {
        for text in [
            "The Dr said so, and a Professor of Medicine agreed.",
            "Professor Emeritus, Nurse Practitioner, Nurse Consultant, Sister Ward",
            "Miss NHS targets and you are asked why. MS Teams and Ms Office; an MR scan.",
            "We use mr imaging and an mr scanner.",
            "Lord Mayor, Lord Chancellor, Lady In waiting",
            "Drs and Profs; a Nurse Led clinic",
        ] {
            clean(text);
        }
    }

    #[test]
    fn speakers_by_name() {
        let text = "Jane Smith: We began late.\nInterviewer: Why?\nJane Smith: No money.";
        assert_eq!(found(text).len(), 2);
        let timed = "Jane Smith 00:01:10: We began.\n\nJane Smith [00:02]: And ended.";
        assert_eq!(found(timed).len(), 2);
        clean("Innovation Lead: We began.\nInterviewer: Why?\nInnovation Lead: No money.");
        clean("Executive Sponsor: Yes.\nExecutive Sponsor: No.\nSpeaker One: a\nSpeaker One: b");
        clean("Local Learning: one\n\nThird Sector: two");
    }

    #[test]
    fn birthdays_postcodes_and_insurance_numbers() {
        check("DOB: 03/04/1961", Sort::DateOfBirth, "03/04/1961");
        check("date of birth 3 April 1961", Sort::DateOfBirth, "3 April 1961");
        check("she was born on the 3rd of April 1961.", Sort::DateOfBirth, "3rd of April 1961");
        clean("The pilot was born in 2019 and reviewed on 03/04/2021.");
        check("lives at CM1 7ET", Sort::Postcode, "CM1 7ET");
        check("lives at SW1A1AA.", Sort::Postcode, "SW1A1AA");
        clean("COVID19, B12, Q4 2026, H1N1, A1 paper, T2DM, WTE 2, ICB 3AB");
        check("NI QQ 12 34 56 C or AB123456C", Sort::NationalInsurance, "AB123456C");
    }

    #[test]
    fn ordinary_nhs_prose_is_left_alone() {
        clean(
            "In 2024/25 the Mid and South Essex NHS Foundation Trust spent £1,250,000 on 18 pilots; \
             67 per cent (12 of 18) were kept. The Chief Executive, the Medical Director and the \
             Innovation Lead met on 12 March 2025 at 10:30 in Room 4.12. Waits fell from 52 to 18 weeks, \
             the Accelerated Access Collaborative paid half, and ISRCTN12345678 was registered. \
             The Health Foundation, NICE (NG123), DCB0129 and DTAC were named. ICS, ICB and PCN leads \
             from Basildon and St Peter's agreed. Version 1.2.3 went live on 2025-06-01 at 09:00. \
             Band 8a staff, 1,300 clinical entrepreneurs and 20,000,000 patients were counted. \
             Key Points: money first. Next Steps: a business case. What helped: time. \
             Senior Nurse Advocates and the Patient Safety Lead took part; Doctor Foster data was used.",
        );
        clean(
            "Q: Who pays?\nA: The ward.\nQ: And then?\nA: Nobody. 1. First, 2. Second (3) third.",
        );
    }

    #[test]
    fn decisions_replace_what_they_name() {
        let text = "Dr Patel rang Dr Patel on 07700 900123 from CM1 7ET.";
        let decisions = [
            ("Dr Patel".to_owned(), Decision::Replace("[name]".to_owned())),
            ("CM1 7ET".to_owned(), Decision::Keep("the hospital".to_owned())),
        ];
        let replaced = replace(text, &decisions);
        assert_eq!(replaced, "[name] rang [name] on 07700 900123 from CM1 7ET.");
        let left: Vec<String> = find(&replaced).into_iter().map(|find| find.text).collect();
        assert_eq!(left, ["07700 900123", "CM1 7ET"]);
        for sort in [Sort::Name, Sort::Email, Sort::Phone, Sort::NhsNumber, Sort::Postcode] {
            clean(&format!("We saw {} there", sort.neutral()));
        }
    }

    #[test]
    fn the_context_of_a_find_is_its_line() {
        let text = format!(
            "First line.\n{}asked Dr Patel why {}",
            "many words ".repeat(20),
            "and more ".repeat(20)
        );
        let all = find(&text);
        let around = context(&text, &all[0]);
        assert!(around.before.starts_with("… ") && around.before.ends_with("asked "), "{around:?}");
        assert!(around.after.starts_with(" why ") && around.after.ends_with(" …"), "{around:?}");
        let short = "ask Dr Patel";
        let around = context(short, &find(short)[0]);
        assert_eq!((around.before.as_str(), around.after.as_str()), ("ask ", ""));
    }

    #[test]
    fn long_and_strange_texts_take_little_time() {
        let begun = std::time::Instant::now();
        for text in [
            "0 ".repeat(200_000),
            "Dr ".repeat(200_000),
            "a@".repeat(200_000),
            "é£😀".repeat(50_000),
            "Mr A. ".repeat(50_000),
            "a@b.co ".repeat(100_000),
            "Jane Smith: x\n".repeat(60_000),
        ] {
            let _ = find(&text);
        }
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}
