//! Why nothing was found.

/// Why there is no draft. Each is something that whoever asked can do something about.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DiscoveryError {
    /// The segment is a custom upload.
    #[error(
        "segment \"{segment}\" is a custom upload, whose members are in no source; take a segment by a query or by rules"
    )]
    Upload {
        /// The segment.
        segment: String,
    },
    /// Nobody said among whom, and the segment does not tell.
    #[error(
        "segment \"{segment}\" is not made of one source with its member key, so `among` has to say among whom to look: a \
         source with its member_key, or a segment"
    )]
    NoPopulation {
        /// The segment.
        segment: String,
    },
    /// Somebody has several rows among the people.
    #[error(
        "{people} people have {rows} further rows, and one in 20 may have one; look among people with one row each, and \
         make what they do into measures"
    )]
    SeveralRows {
        /// Rows beyond the first of somebody.
        rows: u64,
        /// People.
        people: u64,
    },
    /// A column is named that is not there.
    #[error("there is no column {column} among the people; their columns are: {columns}")]
    UnknownColumn {
        /// The column.
        column: String,
        /// What there is.
        columns: String,
    },
    /// A measure is called as a column is.
    #[error("a measure is called {name}, and so is a column; call it something else")]
    MeasureIsColumn {
        /// The name.
        name: String,
    },
    /// A column is named that must not be used.
    #[error(
        "the column {column} is made of data labelled C9 (no data science) or C12 (never exported), which is not used for \
         this"
    )]
    Labelled {
        /// The column.
        column: String,
    },
    /// What decides who is a member must not be used.
    #[error(
        "who is in segment \"{segment}\" is decided by data labelled C9 (no data science), which is not used for this"
    )]
    LabelledSegment {
        /// The segment.
        segment: String,
    },
    /// No column is of use.
    #[error("no column can be used: {why}")]
    NoColumns {
        /// What is wrong with those that there are.
        why: String,
    },
    /// There are not enough people to say anything.
    #[error("{people} {who}, and it takes {least} to say anything")]
    TooFew {
        /// Who.
        who: &'static str,
        /// How many they are.
        people: u64,
        /// How many it takes.
        least: u64,
    },
    /// The columns do not tell members from others.
    #[error(
        "these columns do not tell the members from others: of a member and somebody else, the member looks more like one \
         in {percent} of 100 cases, and a coin would say 50; name other columns, or add measures"
    )]
    Indistinct {
        /// In how many of a hundred cases.
        percent: u64,
    },
    /// Nobody is similar enough.
    #[error("nobody else is similar: the best score is {best}, and it takes {least}; name other columns")]
    NobodySimilar {
        /// The best score.
        best: f64,
        /// What it takes.
        least: f64,
    },
    /// The goal cannot be one.
    #[error("the goal {goal} {why}")]
    Goal {
        /// The column.
        goal: String,
        /// Why it cannot.
        why: String,
    },
    /// Nothing of a description was understood.
    #[error("nothing of the description is understood: {why}")]
    NotUnderstood {
        /// Each part, and why not.
        why: String,
    },
    /// The draft would be no query.
    #[error("the draft would be too large to be planned ({why}); name fewer columns, or look among a source")]
    TooLarge {
        /// What the text is refused for.
        why: String,
    },
}

impl DiscoveryError {
    /// A stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Upload { .. } => "discovery_of_upload",
            Self::NoPopulation { .. } => "discovery_without_people",
            Self::SeveralRows { .. } => "discovery_several_rows",
            Self::UnknownColumn { .. } => "discovery_unknown_column",
            Self::MeasureIsColumn { .. } => "discovery_measure_is_column",
            Self::Labelled { .. } | Self::LabelledSegment { .. } => "discovery_labelled",
            Self::NoColumns { .. } => "discovery_without_columns",
            Self::TooFew { .. } => "discovery_too_few",
            Self::Indistinct { .. } => "discovery_indistinct",
            Self::NobodySimilar { .. } => "discovery_nobody_similar",
            Self::Goal { .. } => "discovery_goal",
            Self::NotUnderstood { .. } => "discovery_not_understood",
            Self::TooLarge { .. } => "discovery_too_large",
        }
    }

    /// The field of the request that is wrong, as a JSON pointer (RFC 6901), where it is one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::NoPopulation { .. } | Self::SeveralRows { .. } => Some("/among"),
            Self::UnknownColumn { .. } | Self::Labelled { .. } | Self::NoColumns { .. } => Some("/columns"),
            Self::MeasureIsColumn { .. } => Some("/among/measures"),
            Self::Goal { .. } => Some("/goal"),
            Self::NotUnderstood { .. } => Some("/description"),
            _ => None,
        }
    }
}
