//! The file that an import is made of. Pure.

use crate::marketo::MarketoTarget;
use relay_delivery::batch::Frame;
use relay_model::FieldValue;
use std::borrow::Cow;

/// Rows as CSV: the header has the fields' REST names, the match key's first.
pub(super) struct ImportFile {
    pub(super) header: Vec<String>,
    /// Each row's cells, in the header's order.
    pub(super) rows: Vec<Vec<String>>,
    csv: Vec<u8>,
}

impl ImportFile {
    pub(super) fn of(frame: &Frame, target: &MarketoTarget) -> Result<Self, csv::Error> {
        let mut header = vec![target.lookup_field.clone()];
        header.extend(frame.field_keys.iter().cloned());
        let rows: Vec<Vec<String>> = frame
            .rows
            .iter()
            .map(|row| {
                let cell = |number: usize| {
                    let value = row.values.iter().find(|(field, _)| usize::from(*field) == number);
                    value.map(|(_, value)| text(value).into_owned()).unwrap_or_default()
                };
                let mut cells = vec![row.match_key.0.clone()];
                cells.extend((0..frame.field_keys.len()).map(cell));
                cells
            })
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header)?;
        for cells in &rows {
            writer.write_record(cells)?;
        }
        let csv = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(Self { header, rows, csv })
    }

    #[cfg(test)]
    pub(super) const fn from_parts(header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Self { header, rows, csv: Vec::new() }
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.csv.len()
    }

    /// A boundary that the file does not hold.
    pub(super) fn boundary(&self) -> String {
        loop {
            let boundary = format!("----------relay{:032x}", fastrand::u128(..));
            let bytes = boundary.as_bytes();
            if !self.csv.windows(bytes.len()).any(|window| window == bytes) {
                return boundary;
            }
        }
    }

    /// The body of the call: one part, called `file`.
    pub(super) fn multipart(&self, boundary: &str) -> Vec<u8> {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"leads.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        [head.as_bytes(), &self.csv, tail.as_bytes()].concat()
    }
}

fn text(value: &FieldValue) -> Cow<'_, str> {
    match value {
        // Batches that clear fields do not become files.
        FieldValue::Clear => Cow::Borrowed(""),
        FieldValue::Boolean(true) => Cow::Borrowed("true"),
        FieldValue::Boolean(false) => Cow::Borrowed("false"),
        FieldValue::Integer(number) => Cow::Owned(number.to_string()),
        // As in JSON, so that neither way is longer than the other.
        FieldValue::Decimal(number) => {
            Cow::Owned(serde_json::to_string(number).unwrap_or_else(|_| number.to_string()))
        }
        FieldValue::Text(text) => Cow::Borrowed(text),
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
