//! Reading spreadsheets that people send: cells as texts, by row and question,
//! with what is wrong by cell. A file is looked through before it is parsed, so
//! that one made to do harm takes neither memory nor time. Not for what the
//! texts mean.

use crate::capture::fields::Control;
use crate::capture::sheet::{ABOVE, ANSWERS, Column, MOST_ROWS, ORIGIN, Sheet, letters};
use crate::capture::values::Values;
use calamine::{DataRef, Reader, Xlsx};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// Largest size of a workbook once unpacked (bytes). A thousand rows with long
/// texts need a tenth.
const UNPACKED: u64 = 32 << 20;
/// Files in a workbook; a template has about fifteen.
const FILES: usize = 200;
/// Columns that are looked at.
const COLUMNS: u32 = 400;
/// Refusals that are told; more tell nothing new.
const TOLD: usize = 200;

/// What stands in a spreadsheet.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The rows that hold something.
    pub rows: Vec<Row>,
    /// Cells that cannot be read.
    pub refused: Vec<Refusal>,
}

/// A row of a spreadsheet.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its number, from 1, as the spreadsheet shows it.
    pub number: u32,
    /// What it says.
    pub values: Values,
    /// The addresses of its cells, by the names of questions.
    pub cells: BTreeMap<String, String>,
}

/// A cell that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its address, such as `C7`.
    pub cell: String,
    /// The question of its column.
    pub question: String,
    /// Why.
    pub reason: String,
}

impl Refusal {
    /// Where its cell stands, from the top left: row, then column.
    #[must_use]
    pub fn place(&self) -> (u32, usize, &str) {
        let digits = self.cell.find(|c: char| c.is_ascii_digit()).unwrap_or(self.cell.len());
        let (column, row) = self.cell.split_at(digits);
        (row.parse().unwrap_or(0), column.len(), column)
    }
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no spreadsheet of a kind that is read here.
    #[error("this is neither an Excel file (.xlsx) nor a table as text (.csv)")]
    Kind,
    /// It is of an older kind.
    #[error("this is an old Excel file (.xls): save it as .xlsx")]
    Old,
    /// It has macros.
    #[error("the file holds macros (.xlsm): save it as .xlsx, without them")]
    Macros,
    /// It is too large once unpacked.
    #[error("unpacked, the file is larger than {} MB: it is not the template, or it holds pictures", UNPACKED >> 20)]
    Large,
    /// It is damaged.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// It is not the template.
    #[error("this is not the template: {0}")]
    Other(String),
    /// It was made from another form or version.
    #[error(
        "the file was made from {found}, and this page takes {wanted}: download the template again"
    )]
    Version {
        /// What it was made from.
        found: String,
        /// What is read here.
        wanted: String,
    },
    /// It has too many rows.
    #[error(
        "row {0} is filled in: at most {MOST_ROWS} rows are read, so send them in several files"
    )]
    Rows(u32),
    /// It is not UTF-8.
    #[error("the text is not UTF-8: save it as “CSV UTF-8”")]
    Encoding,
}

/// Reads a spreadsheet that was made from a template. `name` is the file's
/// name, if known.
pub fn read_sheet(sheet: &Sheet, name: &str, bytes: &[u8]) -> Result<Rows, Unreadable> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if bytes.starts_with(b"PK") {
        if ending.as_deref() == Some("xlsm") {
            return Err(Unreadable::Macros);
        }
        unpack(bytes)?;
        return workbook(sheet, bytes);
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Unreadable::Old);
    }
    if matches!(ending.as_deref(), None | Some("csv" | "txt")) {
        return text(sheet, bytes);
    }
    Err(Unreadable::Kind)
}

/// Unpacks a workbook to nowhere: what it says of its own size may be a lie.
fn unpack(bytes: &[u8]) -> Result<(), Unreadable> {
    let damaged = |error: zip::result::ZipError| Unreadable::Damaged(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > FILES {
        return Err(Unreadable::Large);
    }
    let mut left = UNPACKED;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(damaged)?;
        let name = file.name().map_err(damaged)?.to_ascii_lowercase();
        if name.ends_with("vbaproject.bin") {
            return Err(Unreadable::Macros);
        }
        let mut limited = file.take(left + 1);
        let read = std::io::copy(&mut limited, &mut std::io::sink())
            .map_err(|error| Unreadable::Damaged(error.to_string()))?;
        if read > left {
            return Err(Unreadable::Large);
        }
        left -= read;
    }
    Ok(())
}

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

fn workbook(sheet: &Sheet, bytes: &[u8]) -> Result<Rows, Unreadable> {
    let damaged = |error: calamine::XlsxError| Unreadable::Damaged(error.to_string());
    let mut book: Book = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let names = book.sheet_names();
    for wanted in [ANSWERS, ORIGIN] {
        if !names.iter().any(|name| name == wanted) {
            return Err(Unreadable::Other(format!(
                "it has no sheet “{wanted}” (it has {})",
                names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    origin(sheet, &mut book)?;
    let mut found = Rows::default();
    for area in book.merge_cells_by_sheet_name(ANSWERS).map_err(damaged)? {
        let ((row, column), (last_row, last_column)) = (area.start, area.end);
        let cell = format!("{}:{}", address(row, column), address(last_row, last_column));
        refuse(&mut found, cell, "merged cells cannot be read: part them");
    }
    let mut formulas = book.worksheet_cells_reader(ANSWERS).map_err(damaged)?;
    while let Some(cell) = formulas.next_formula().map_err(damaged)? {
        let (row, column) = cell.get_position();
        if row >= ABOVE + MOST_ROWS {
            return Err(Unreadable::Rows(row + 1));
        }
        if !cell.get_value().is_empty() {
            let reason = "formulas are not read: put the value itself here";
            refuse(&mut found, address(row, column), reason);
        }
    }
    drop(formulas);
    let mut reader = book.worksheet_cells_reader(ANSWERS).map_err(damaged)?;
    let mut table = Table::new(sheet);
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let text = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                text.clone()
            }
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Int(number) => number.to_string(),
            DataRef::Float(number) => number.to_string(),
            DataRef::Bool(yes) => yes.to_string(),
            DataRef::DateTime(moment) => {
                let (year, month, day, ..) = moment.to_ymd_hms_milli();
                format!("{year:04}-{month:02}-{day:02}")
            }
            DataRef::Error(error) => {
                let reason = format!("the cell holds an error of the spreadsheet: {error:?}");
                refuse(&mut found, address(row, column), &reason);
                continue;
            }
        };
        table.put(row, column, &text, &mut found)?;
    }
    table.finish(found)
}

/// Looks whether the file was made from this form and version.
fn origin(sheet: &Sheet, book: &mut Book) -> Result<(), Unreadable> {
    let damaged = |error: calamine::XlsxError| Unreadable::Damaged(error.to_string());
    let mut reader = book.worksheet_cells_reader(ORIGIN).map_err(damaged)?;
    let (mut form, mut version) = (String::new(), String::new());
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        if row > 1 {
            break;
        }
        let text = match cell.get_value() {
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Int(number) => number.to_string(),
            DataRef::Float(number) => number.to_string(),
            _ => continue,
        };
        match (row, column) {
            (0, 1) => form = text,
            (1, 1) => version = text,
            _ => {}
        }
    }
    if form == sheet.form && version == sheet.version {
        return Ok(());
    }
    let told = |form: &str, version: &str| format!("“{form}”, version {version}");
    Err(Unreadable::Version {
        found: told(&form, &version),
        wanted: told(&sheet.form, &sheet.version),
    })
}

fn text(sheet: &Sheet, bytes: &[u8]) -> Result<Rows, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    let first = text.lines().next().unwrap_or_default();
    let delimiter =
        if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut table = Table::new(sheet);
    let mut found = Rows::default();
    for (row, record) in (0_u32..).zip(reader.records()) {
        let record = record.map_err(|error| Unreadable::Damaged(error.to_string()))?;
        for (column, cell) in (0_u32..).zip(record.iter()) {
            if cell.trim_start().starts_with('=') {
                let reason = "formulas are not read: put the value itself here";
                refuse(&mut found, address(row, column), reason);
            } else if !cell.trim().is_empty() {
                table.put(row, column, cell, &mut found)?;
            }
        }
    }
    table.finish(found)
}

fn address(row: u32, column: u32) -> String {
    format!("{}{}", letters(column), row + 1)
}

/// Refuses a cell, once; the question of its column is told at the end.
fn refuse(found: &mut Rows, cell: String, reason: &str) {
    if found.refused.len() < TOLD && found.refused.iter().all(|known| known.cell != cell) {
        let (question, reason) = (String::new(), reason.to_owned());
        found.refused.push(Refusal { cell, question, reason });
    }
}

/// A table that is read cell by cell, row by row.
struct Table<'a> {
    sheet: &'a Sheet,
    /// The question of each column, once the first row is read.
    questions: BTreeMap<u32, &'a Column>,
    /// The column that tells rows apart.
    marker: Option<u32>,
    headed: bool,
    rows: BTreeMap<u32, (bool, Vec<(u32, String)>)>,
}

impl<'a> Table<'a> {
    fn new(sheet: &'a Sheet) -> Self {
        let (questions, rows) = (BTreeMap::new(), BTreeMap::new());
        Self { sheet, questions, marker: None, headed: false, rows }
    }

    fn put(
        &mut self,
        row: u32,
        column: u32,
        text: &str,
        found: &mut Rows,
    ) -> Result<(), Unreadable> {
        if row == 0 {
            let name = text.trim();
            if name == "row" {
                self.marker = Some(column);
            } else if let Some(known) = self.sheet.column(name) {
                self.headed = true;
                if self.questions.values().any(|one| one.name == name) {
                    return Err(Unreadable::Other(format!("“{name}” heads two columns")));
                }
                self.questions.insert(column, known);
            } else {
                let cell = address(row, column);
                let reason = format!("“{name}” is no question of this form");
                refuse(found, cell, &reason);
            }
            return Ok(());
        }
        if row >= ABOVE + MOST_ROWS {
            return Err(Unreadable::Rows(row + 1));
        }
        let (ignored, cells) = self.rows.entry(row).or_default();
        if Some(column) == self.marker {
            *ignored = matches!(text.trim(), "question" | "help" | "example");
        } else if self.questions.contains_key(&column) {
            cells.push((column, text.to_owned()));
        } else if column >= COLUMNS || !text.trim().is_empty() {
            let cell = address(row, column);
            refuse(found, cell, "this column asks nothing: clear the cell");
        }
        Ok(())
    }

    fn finish(self, mut found: Rows) -> Result<Rows, Unreadable> {
        if !self.headed {
            return Err(Unreadable::Other(
                "its first row, which may be hidden, does not name the questions".to_owned(),
            ));
        }
        for refusal in &mut found.refused {
            let column = refusal.cell.chars().take_while(char::is_ascii_alphabetic);
            let column: String = column.collect();
            let asked = self.questions.iter().find(|(place, _)| letters(**place) == column);
            if let Some((_, asked)) = asked {
                refusal.question.clone_from(&asked.field.label);
            }
        }
        for (number, (ignored, cells)) in self.rows {
            if ignored {
                continue;
            }
            let mut row = Row { number: number + 1, ..Row::default() };
            for (column, text) in cells {
                let Some(asked) = self.questions.get(&column) else { continue };
                let several = asked.field.multiple && !matches!(asked.field.control, Control::Text);
                if several {
                    for text in text.split([';', '\n']) {
                        row.values.add(&asked.name, text);
                    }
                } else {
                    row.values.add(&asked.name, &text);
                }
                row.cells.insert(asked.name.clone(), address(number, column));
            }
            if !row.values.is_empty() {
                found.rows.push(row);
            }
        }
        Ok(found)
    }
}
