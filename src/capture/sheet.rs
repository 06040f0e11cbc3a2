//! Spreadsheets made from forms: a row is a record, a column is a question.
//! The sheet tells people what is asked, offers what can be chosen, and keeps
//! in a hidden part which form and version it was made from. Not for reading
//! them back.

use crate::capture::complete::case_study_form;
use crate::capture::fields::{Control, Field, Form};
use crate::capture::form::Records;
use crate::capture::questions::Questionnaire;
use crate::rdf::NamedNode;
use crate::rdf::vocabulary::INSITES;
use rust_xlsxwriter::{
    DataValidation, Format, FormatAlign, Formula, Workbook, Worksheet, XlsxError,
};

/// The sheet that people fill in.
pub(super) const ANSWERS: &str = "Answers";
/// The hidden sheet that says what the file was made from.
pub(super) const ORIGIN: &str = "insites";
/// The hidden sheet that holds what can be chosen.
const OPTIONS: &str = "options";
/// Rows that people may fill in.
pub(super) const MOST_ROWS: u32 = 1_000;
/// Rows above those: names, questions, help, an example.
pub(super) const ABOVE: u32 = 4;
/// Figures of one case study in a sheet.
const FIGURES: usize = 3;

/// What a spreadsheet asks.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Which form it is: `case-study`, or the slug of a questionnaire.
    pub form: String,
    /// The version of the form.
    pub version: String,
    /// Its name for people.
    pub title: String,
    /// What is asked, after the column that tells rows apart.
    pub columns: Vec<Column>,
}

/// A column of a spreadsheet.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name under which the form knows it.
    pub name: String,
    /// The part of the form.
    pub heading: String,
    /// The question.
    pub field: Field,
}

/// The question for whom a row is.
fn site(records: &Records<'_>) -> Column {
    let class = NamedNode::new_unchecked(format!("{INSITES}Organisation"));
    let options = records.offered(class.as_str());
    let field = Field {
        name: "site".to_owned(),
        label: "Organisation".to_owned(),
        help: "For which organisation the row is. Contributors may leave it empty: it is theirs."
            .to_owned(),
        required: false,
        multiple: false,
        control: Control::Record { class: class.clone(), options },
        path: class,
        question: false,
        only_if: None,
        unit: String::new(),
    };
    Column { name: "site".to_owned(), heading: "For whom".to_owned(), field }
}

impl Sheet {
    /// The spreadsheet of case studies.
    #[must_use]
    pub fn of_case_studies(records: &Records<'_>) -> Self {
        let form = case_study_form(records);
        let mut columns = vec![site(records)];
        columns.extend(columns_of(&form));
        let (form, version) = ("case-study".to_owned(), "1".to_owned());
        Self { form, version, title: "Case studies".to_owned(), columns }
    }

    /// The spreadsheet of a questionnaire.
    #[must_use]
    pub fn of_questionnaire(questionnaire: &Questionnaire, records: &Records<'_>) -> Self {
        let mut columns = vec![site(records)];
        for part in &questionnaire.parts {
            for mut column in columns_of(&part.form) {
                // Who answered and when is asked once for all dimensions.
                if columns.iter().any(|known| known.name == column.name) {
                    continue;
                }
                if column.field.question {
                    column.heading.clone_from(&part.form.title);
                }
                columns.push(column);
            }
        }
        Self {
            form: questionnaire.slug.clone(),
            version: questionnaire.version.clone(),
            title: questionnaire.title.clone(),
            columns,
        }
    }

    /// The column with a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The template as an Excel file.
    pub fn template(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        self.read_me(book.add_worksheet())?;
        let mut options: Vec<Vec<String>> = Vec::new();
        self.answers(book.add_worksheet(), &mut options)?;
        let origin = book.add_worksheet();
        origin.set_name(ORIGIN)?.set_hidden(true);
        let facts = [("form", self.form.as_str()), ("version", self.version.as_str())];
        for (row, (name, value)) in (0..).zip(facts) {
            origin.write_string(row, 0, name)?;
            origin.write_string(row, 1, value)?;
        }
        for (row, column) in (3..).zip(&self.columns) {
            origin.write_string(row, 0, &column.name)?;
            origin.write_string(row, 1, column.field.path.as_str())?;
        }
        let sheet = book.add_worksheet();
        sheet.set_name(OPTIONS)?.set_hidden(true);
        for (place, texts) in (0..).zip(&options) {
            for (row, text) in (0..).zip(texts) {
                sheet.write_string(row, place, text)?;
            }
        }
        book.save_to_buffer()
    }

    fn read_me(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name("Read me")?;
        sheet.set_column_width(0, 100)?;
        let wrap = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let title = format!("{}: template", self.title);
        sheet.write_string_with_format(0, 0, title, &Format::new().set_bold().set_font_size(16))?;
        let lines = [
            "Fill in the sheet “Answers”: one row for each record, below the example. The example is not read.",
            "Many cells offer what can be chosen. Where several answers are possible, part them by a semicolon (;).",
            "Write days as 2026-03-27. Write numbers as numbers, without their unit.",
            "Do not merge cells, do not use formulas or macros, and leave the hidden row and column as they are: such files are refused, with the cell that is wrong.",
            "Name roles, not people. Leave out what could tell who a patient is.",
            "Send the file back on the page from which it came. You see first what was read; then you say whether to save it. What is saved is a draft that only your site and the curators see.",
        ];
        for (row, line) in (2..).zip(lines) {
            sheet.write_string_with_format(row, 0, line, &wrap)?;
        }
        Ok(())
    }

    fn answers(
        &self,
        sheet: &mut Worksheet,
        options: &mut Vec<Vec<String>>,
    ) -> Result<(), XlsxError> {
        let last = ABOVE + MOST_ROWS - 1;
        sheet.set_name(ANSWERS)?;
        let bold = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let help =
            Format::new().set_text_wrap().set_align(FormatAlign::Top).set_font_color(0x42_55_63);
        let example = Format::new()
            .set_italic()
            .set_text_wrap()
            .set_align(FormatAlign::Top)
            .set_font_color(0x42_55_63);
        for (row, marker) in (0..).zip(["row", "question", "help", "example"]) {
            sheet.write_string(row, 0, marker)?;
        }
        for (place, column) in (1_u16..).zip(&self.columns) {
            let Column { name, heading, field } = column;
            sheet.set_column_width(place, 28)?;
            sheet.write_string(0, place, name)?;
            let needed = if field.required { " (needed)" } else { "" };
            let label = format!("{heading}: {}{needed}", field.label);
            sheet.write_string_with_format(1, place, label, &bold)?;
            sheet.write_string_with_format(2, place, told(field), &help)?;
            sheet.write_string_with_format(3, place, example_of(field), &example)?;
            if matches!(field.control, Control::Date { partial: false }) {
                let day = Format::new().set_num_format("yyyy-mm-dd");
                sheet.set_column_format(place, &day)?;
            }
            let choices = field.choices();
            if choices.is_empty() {
                continue;
            }
            let texts: Vec<String> = choices.iter().map(|one| one.text.clone()).collect();
            let list = options.iter().position(|known| *known == texts).unwrap_or_else(|| {
                options.push(texts.clone());
                options.len() - 1
            });
            let letters = letters(u32::try_from(list).unwrap_or(0));
            let source = format!("={OPTIONS}!${letters}$1:${letters}${}", texts.len());
            // Other words are told by the import, with what may be meant.
            let offers = DataValidation::new()
                .allow_list_formula(Formula::new(source))
                .ignore_blank(true)
                .show_error_message(
                    !field.multiple && !matches!(field.control, Control::Record { .. }),
                );
            sheet.add_data_validation(ABOVE, place, last, place, &offers)?;
        }
        sheet.set_row_hidden(0)?;
        sheet.set_column_hidden(0)?;
        sheet.set_freeze_panes(ABOVE, 2)?;
        sheet.set_active(true);
        Ok(())
    }
}

/// Fields of a form in order, those of repeated groups several times.
fn columns_of(form: &Form) -> Vec<Column> {
    let mut columns = Vec::new();
    for group in &form.groups {
        let times = if group.repeat.is_some() { FIGURES } else { 1 };
        for number in 1..=times {
            for field in &group.fields {
                let (name, heading) = if group.repeat.is_some() {
                    let one = group.heading.trim_end_matches('s');
                    (group.name_in(number, field), format!("{one} {number}"))
                } else {
                    (field.name.clone(), group.heading.clone())
                };
                let mut field = field.clone();
                // A figure is needed only where there is one.
                field.required &= group.repeat.is_none();
                columns.push(Column { name, heading, field });
            }
        }
    }
    columns
}

/// What helps to fill in a cell.
fn told(field: &Field) -> String {
    let mut parts = Vec::new();
    if let Some(only) = &field.only_if {
        parts.push(format!("Only {}.", only.text));
    }
    if !field.help.is_empty() {
        parts.push(field.help.clone());
    }
    if !field.unit.is_empty() {
        parts.push(format!("In {}.", field.unit));
    }
    if field.multiple {
        parts.push("Several answers are parted by a semicolon (;).".to_owned());
    }
    parts.join(" ")
}

fn example_of(field: &Field) -> String {
    match &field.control {
        Control::Line => "Text reminders two days before an appointment".to_owned(),
        Control::Text => "A few sentences in your own words.".to_owned(),
        Control::Number { .. } | Control::NumberOrText => "12".to_owned(),
        Control::Date { .. } => "2026-03-27".to_owned(),
        Control::Address => "https://example.org/report".to_owned(),
        Control::Record { .. } => "The name of an organisation".to_owned(),
        Control::Choice(choices) | Control::Scale(choices) => {
            let some: Vec<&str> = choices.iter().map(|one| one.text.as_str()).collect();
            let some = if field.multiple {
                some.get(..2).unwrap_or(&some)
            } else {
                some.get(..1).unwrap_or(&some)
            };
            some.join("; ")
        }
    }
}

/// The letters of a column, from 0: A, B, …, Z, AA.
pub(super) fn letters(column: u32) -> String {
    let mut number = column + 1;
    let mut text = Vec::new();
    while number > 0 {
        let digit = (number - 1) % 26;
        text.push(char::from(b'A' + u8::try_from(digit).unwrap_or(0)));
        number = (number - 1) / 26;
    }
    text.iter().rev().collect()
}
