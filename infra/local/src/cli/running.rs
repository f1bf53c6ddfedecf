//! The output of `cargo local up` and `cargo local status`.

use serde_json::json;

use crate::background::Running;
use crate::cli::Report;
use crate::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::demo::Beginning;

/// Formats the addresses and the next steps.
pub(super) fn describe(running: &Running, first: &str) -> Report {
    let Running { endpoint, api_url, sandbox_url, outputs, log, journal, lake_bucket, .. } = running;
    let Running { issuer_url, marketo_url, omnisend_url, dynamics365_sales_url, .. } = running;
    let text = format!(
        "{first}

AWS                 {endpoint}
HTTP API            {api_url}
Issuer of tokens    {issuer_url}
Campaign Monitor    {sandbox_url}
Marketo Engage      {marketo_url}
Omnisend            {omnisend_url}
Dynamics 365 Sales  {dynamics365_sales_url}
Lake                s3://{lake_bucket}/
Data                s3://{}/
Log                 {}
Journal             {}   (requests of the functions to queues, tables and the event bus)

To inspect it with the AWS command line interface:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} \\
    AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}
  aws s3 ls --recursive s3://{lake_bucket}/
  aws dynamodb scan --table-name {}

{}
To count the people on the destinations' lists:

{}

To stop it: cargo local down",
        outputs.data_bucket,
        log.display(),
        journal.display(),
        outputs.catalog_table,
        next_steps(running),
        counting_commands(running).join("\n"),
        region = REGION,
        key = ACCESS_KEY_ID,
        secret = SECRET_ACCESS_KEY,
    );
    let mut figures = json!(running);
    if let Some(fields) = figures.as_object_mut() {
        fields.insert("running".to_owned(), json!(true));
    }
    Report::new(text, figures)
}

/// Formats the next steps.
fn next_steps(running: &Running) -> String {
    let api_url = &running.api_url;
    match running.beginning {
        Beginning::Defined => format!(
            "To start and follow a run of an export (as on AWS, requests need a token of the issuer; add --role contributor or
--role viewer to `cargo local token` to try other roles):

  cargo relay --local exports run newsletter --follow

  TOKEN=$(cargo local token)
  curl --silent --oauth2-bearer \"$TOKEN\" -X POST '{api_url}/exports/newsletter/runs'
  curl --silent --oauth2-bearer \"$TOKEN\" '{api_url}/runs/RUN'

The lake has 10,000 made-up customers, and the catalog is infra/local/catalog/, with an export to each
destination: newsletter, marketo, omnisend and dynamics365-sales.
"
        ),
        Beginning::Empty => {
            let commands = running.credentials.iter().map(|(connection, path)| {
                let path = path.display();
                format!(
                    "  cargo relay --local connections credentials {connection} --file {path}
  cargo relay --local connections test {connection}
"
                )
            });
            format!(
                "The lake has 10,000 made-up customers, and nothing is defined yet. To apply infra/local/catalog/ (after
confirmation; the values for ${{name}} in the files are known) and to store the credentials:

  cargo relay --local apply infra/local/catalog
{}
Then: cargo relay --local exports dry-run newsletter
",
                commands.collect::<String>()
            )
        }
    }
}

/// Returns the commands that count the people at the destinations.
fn counting_commands(running: &Running) -> Vec<String> {
    let campaign_monitor = running.list_ids.iter();
    let mut addresses: Vec<String> = campaign_monitor
        .map(|list| format!("{}/_sandbox/lists/{list}/counts", running.sandbox_url))
        .collect();
    addresses.push(format!("{}/_sandbox/lists", running.marketo_url));
    addresses.push(format!("{}/_sandbox/brands/{}/counts", running.omnisend_url, running.omnisend_brand_id));
    addresses.push(format!("{}/_sandbox/lists", running.dynamics365_sales_url));
    addresses.iter().map(|address| format!("  curl --silent '{address}'")).collect()
}
