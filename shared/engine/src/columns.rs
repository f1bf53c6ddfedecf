//! The columns of a snapshot and their types.

use crate::check::SegmentQuery;
use crate::errors::QueryError;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Expr, cast};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of a snapshot's first column.
pub(crate) const MEMBER_KEY: &str = "member_key";

/// The type of a snapshot's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text. Also decimals, times of day, intervals and unsigned 64-bit numbers.
    Text,
    /// Signed 64-bit integer.
    Integer,
    /// 64-bit floating-point number.
    Decimal,
    /// True or false.
    Boolean,
    /// Calendar day.
    Date,
    /// Moment in UTC, in microseconds.
    Moment,
    /// Day and time of day without a time zone, in microseconds.
    LocalMoment,
}

impl ColumnType {
    /// Returns the name in documents of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::LocalMoment => "local_moment",
        }
    }

    /// Returns the Arrow type in the snapshot's file.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Decimal => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalMoment => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

/// A column of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// The columns that are selected from a query's result.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The expressions, with the names of the columns.
    pub(crate) expressions: Vec<Expr>,
    /// The columns of the file.
    pub(crate) columns: Vec<OutputColumn>,
}

impl Selection {
    /// Selects the member key and the attributes from the query's result.
    pub(crate) fn new(result: &DFSchema, query: &SegmentQuery) -> Result<Self, QueryError> {
        let names: Vec<String> = result.fields().iter().map(|field| field.name().clone()).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &names {
            *counts.entry(name).or_default() += 1;
        }
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count > 1) {
            return Err(QueryError::DuplicateColumn { name: name.to_owned(), count });
        }
        let find = |name: &str| result.iter().find(|(_, field)| field.name() == name);

        let Some((qualifier, key)) = find(&query.member_key) else {
            return Err(QueryError::MissingMemberKey { name: query.member_key.clone(), columns: names });
        };
        column_type(key)?;
        let expression = cast(Expr::Column(Column::from((qualifier, key))), DataType::Utf8);
        let mut expressions = vec![expression.alias(MEMBER_KEY)];
        let mut columns = vec![OutputColumn { name: MEMBER_KEY.to_owned(), column_type: ColumnType::Text }];
        for (index, attribute) in query.attributes.iter().enumerate() {
            let is_repeated = query.attributes.iter().take(index).any(|before| before == attribute);
            if is_repeated || (attribute == MEMBER_KEY && query.member_key == MEMBER_KEY) {
                continue;
            }
            let Some((qualifier, field)) = find(attribute) else {
                return Err(QueryError::MissingAttribute { name: attribute.clone(), columns: names });
            };
            if attribute == MEMBER_KEY {
                return Err(QueryError::ReservedColumn);
            }
            let column_type = column_type(field)?;
            let column = Expr::Column(Column::from((qualifier, field)));
            expressions.push(normalised(column, field.data_type(), column_type).alias(attribute));
            columns.push(OutputColumn { name: attribute.clone(), column_type });
        }
        Ok(Self { expressions, columns })
    }

    /// Returns the columns of a snapshot without members. Attributes are text because their types are unknown.
    pub(crate) fn without_rows(attributes: &[String]) -> Self {
        let text = |name: &str| OutputColumn { name: name.to_owned(), column_type: ColumnType::Text };
        let mut columns = vec![text(MEMBER_KEY)];
        for attribute in attributes {
            if !columns.iter().any(|column| column.name == *attribute) {
                columns.push(text(attribute));
            }
        }
        Self { expressions: Vec::new(), columns }
    }

    /// Returns the file's schema.
    pub(crate) fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| Field::new(&column.name, column.column_type.data_type(), index > 0))
            .collect();
        Arc::new(Schema::new(fields))
    }
}

fn normalised(column: Expr, from: &DataType, to: ColumnType) -> Expr {
    let target = to.data_type();
    match from {
        from if *from == target => column,
        // The cast is made through text, because 0.1 would become 0.10000000149011612.
        DataType::Float16 | DataType::Float32 => cast(cast(column, DataType::Utf8), target),
        _ => cast(column, target),
    }
}

/// Returns the snapshot type of a column of a query's result.
pub(crate) fn column_type(field: &Field) -> Result<ColumnType, QueryError> {
    let unsupported =
        |kind, advice: String| QueryError::UnsupportedColumn { name: field.name().clone(), kind, advice };
    let name = field.name();
    let mut data_type = field.data_type();
    while let DataType::Dictionary(_, values) = data_type {
        data_type = values;
    }
    Ok(match data_type {
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => ColumnType::Integer,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ColumnType::Decimal,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(_, Some(_)) => ColumnType::Moment,
        DataType::Timestamp(_, None) => ColumnType::LocalMoment,
        DataType::Null
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_) => ColumnType::Text,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => {
            return Err(unsupported(
                "a list",
                format!("turn its elements into rows with unnest({name}) AS element, or do not select it"),
            ));
        }
        DataType::Struct(fields) => {
            let first = fields.first().map_or("field", |field| field.name().as_str());
            return Err(unsupported(
                "a structure",
                format!("select its fields one by one (get_field({name}, '{first}') AS {first})"),
            ));
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            return Err(unsupported(
                "binary data",
                format!("read it as text with CAST({name} AS VARCHAR) AS {name}"),
            ));
        }
        DataType::Map(..) | DataType::Union(..) | DataType::RunEndEncoded(..) | DataType::Dictionary(..) => {
            return Err(unsupported("of a nested type", "do not select it".to_owned()));
        }
    })
}
