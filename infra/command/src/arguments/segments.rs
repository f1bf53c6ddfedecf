//! Arguments of the commands about segments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LabelledCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    #[command(flatten)]
    Definition(LabelledCommand),
    /// How many members it has now, what each of its rules gives, and the first of them
    Preview {
        /// Its id
        id: String,
    },
    /// Its query, or the one that its rules compile to
    Query {
        /// Its id
        id: String,
    },
    /// Make one of a few conditions, all of which a member fulfils; its size is shown first
    #[command(after_help = "Examples:
  segment-relay segments quick viennese --name Viennese --source customers --member-key customer_id --where city=Wien
  segment-relay segments quick loyal --name Loyal --source customers --member-key customer_id \\
      --where 'points>=100' --where newsletter=true --column email --column first_name
  segment-relay segments quick young --name Young --source customers --member-key customer_id \\
      --where 'born>=2000-01-01' --where email --estimate

A condition is a column, an operator and a value: = != < <= > >= and ~ (has the text in it). Values that look like numbers,
days (2026-01-31), true and false are taken as such; in double quotes they are texts: --where 'zip=\"1010\"'. A column alone
has to have a value (--where email), and with an exclamation mark it must not (--where '!email').

What is made is a segment by rules, and `segments show` gives it as a file has it, for everything else that rules can.")]
    Quick(QuickArguments),
    /// Find people who are like its members, and make a draft of them
    #[command(after_help = "Examples:
  segment-relay segments similar big-spenders
  segment-relay segments similar big-spenders --column city --column tier --share 10 --save
  segment-relay segments similar big-spenders --source customers --member-key customer_id \\
      --measure orders=count:orders.customer_id --measure 'last=latest:orders.customer_id@day' --save like-us --name 'Like us'

A model learns from a sample what tells the members from all others, and is tried with people whom it has not seen.
The draft is a query with the column `similarity`, from 0 to 1, which exports can map. What the model has learned stands in
it as it was on that day: find them again to learn anew.

A measure is NAME=FUNCTION:SOURCE.MEMBER_KEY, where the function is count, sum, average or latest; behind it :COLUMN for
what is added up, @DAY for the column with a row's day, and /DAYS for only so many days back.

This is profiling in the sense of the GDPR, and whoever asks for it stands in the audit. Columns labelled C9 or C12 are
never used.")]
    Similar(SimilarArguments),
    /// Find groups of people that stand out, and make drafts of them
    #[command(after_help = "Examples:
  segment-relay segments suggest --source customers --member-key customer_id --goal points
  segment-relay segments suggest --among newsletter --goal churned --column tier --column city --save 1
  segment-relay segments suggest --source customers --member-key customer_id \\
      --measure 'orders=count:orders.customer_id@day/365' --measure 'last=latest:orders.customer_id@day' \\
      --measure spent=sum:orders.customer_id:total

With a goal, a number or a text of up to ten values: groups in which it is higher or lower than for everybody, or a value
more or less frequent. Half of a sample is searched, and only what holds in the other half is told. Without one: the fifth
with the most and the least of each number, and with the latest and the earliest of each day, so that measures of what people
do give the most active, the best and those who have gone quiet.

A measure is written as for `segments similar`; see there for what this is in the sense of the GDPR.")]
    Suggest(SuggestArguments),
    /// Make a draft of a description in everyday English
    #[command(after_help = "Examples:
  segment-relay segments describe quiet 'gold customers in Wien with no orders in the last 90 days' \\
      --source customers --member-key customer_id
  segment-relay segments describe rich 'lifetime value of at least 500 and at least 3 orders in the past year' \\
      --source customers --member-key customer_id --save

It is read with the words that your data has: names of columns, texts that stand in them (in quotes where they are rare),
and sources that have the same member key (orders: ordered, no orders, at least 3 orders in the last 90 days). There is no
model behind it, and nothing leaves: each part is told with what it was understood as, and what is not understood is told
and never guessed. Such a draft is not saved, unless --partly says so.")]
    Describe(DescribeArguments),
    /// Show how many members it had in each run, and its upload
    Sizes {
        /// Its id
        id: String,
    },
    /// All its members as a CSV, with every column that an export can map
    #[command(after_help = "Example:
  segment-relay segments download big-spenders --out big-spenders.csv

It holds profiles: whoever has the file answers for it. Who asked for it stands in the audit.")]
    Download {
        /// Its id
        id: String,
        /// The file to write, which must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Let exports bring it again
    Activate {
        /// Its id
        id: String,
    },
    /// Switch it off: exports leave its target lists as they are
    Deactivate {
        /// Its id
        id: String,
    },
    /// Which exports use it, and which do not
    Exports {
        /// Its id
        id: String,
    },
    /// Make another one like it; of an upload's, without what was uploaded
    Duplicate {
        /// Its id
        id: String,
        /// The new one's id
        #[arg(long = "as", value_name = "ID")]
        new_id: String,
        /// What people call the new one
        #[arg(long)]
        name: String,
        /// Save it even where the sources do not have what its query needs; the next run tells
        #[arg(long)]
        no_check: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct QuickArguments {
    /// Its id
    pub(crate) id: String,
    /// What people call it
    #[arg(long)]
    pub(crate) name: String,
    /// The source that members are rows of
    #[arg(long)]
    pub(crate) source: String,
    /// The column that holds the customer id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) member_key: String,
    /// What has to hold for a member; may be given several times
    #[arg(long = "where", value_name = "CONDITION", required = true)]
    pub(crate) conditions: Vec<String>,
    /// A column that exports can map; without any, all of them
    #[arg(long = "column", value_name = "COLUMN")]
    pub(crate) columns: Vec<String>,
    /// Only show its size, and make nothing
    #[arg(long)]
    pub(crate) estimate: bool,
}

/// Among whom is looked, and by which columns.
#[derive(Debug, Args)]
pub(crate) struct AmongArguments {
    /// Look among the rows of this source
    #[arg(long, conflicts_with = "among", requires = "member_key")]
    pub(crate) source: Option<String>,
    /// The source's column with the customer id
    #[arg(long, value_name = "COLUMN", requires = "source")]
    pub(crate) member_key: Option<String>,
    /// Look among the members of this segment
    #[arg(long, value_name = "SEGMENT")]
    pub(crate) among: Option<String>,
    /// A figure of each person out of another source; may be given several times
    #[arg(long = "measure", value_name = "MEASURE")]
    pub(crate) measures: Vec<String>,
    /// A column to look at; without any, all that can be used
    #[arg(long = "column", value_name = "COLUMN")]
    pub(crate) columns: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SimilarArguments {
    /// The segment's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) among: AmongArguments,
    /// How many of a hundred others are wanted; some more come in where many score the same
    #[arg(long, value_name = "PERCENT", default_value_t = 20)]
    pub(crate) share: u8,
    /// Have the segment's members in the draft as well
    #[arg(long)]
    pub(crate) with_members: bool,
    /// Save the draft, under this id or like-SEGMENT
    #[arg(long, value_name = "NEW_ID", num_args = 0..=1, default_missing_value = "")]
    pub(crate) save: Option<String>,
    /// What people call it
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SuggestArguments {
    #[command(flatten)]
    pub(crate) among: AmongArguments,
    /// The column or measure that should be higher or lower
    #[arg(long, value_name = "COLUMN")]
    pub(crate) goal: Option<String>,
    /// What the drafts' ids begin with
    #[arg(long, default_value = "suggested")]
    pub(crate) id: String,
    /// Save the suggestion of this number; may be given several times
    #[arg(long, value_name = "NUMBER")]
    pub(crate) save: Vec<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// The draft's id
    pub(crate) id: String,
    /// Who is meant
    pub(crate) description: String,
    /// The source whose rows are the people
    #[arg(long)]
    pub(crate) source: String,
    /// The source's column with the customer id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) member_key: String,
    /// Save the draft
    #[arg(long)]
    pub(crate) save: bool,
    /// Save it even where a part was not understood, without that part
    #[arg(long, requires = "save")]
    pub(crate) partly: bool,
}
