//! Exports of identity providers: they are split into records, and converted to events. The first byte chooses the provider.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::identity::Provider;
use trailkeeper_parsers::json_records::{Record, Records};

fuzz_target!(|input: &[u8]| {
    let Some((first, file)) = input.split_first() else { return };
    let provider = Provider::ALL[usize::from(*first) % Provider::ALL.len()];
    let whole = records(file, 4_096, provider);
    assert_eq!(whole, records(file, 3, provider), "the size of reads makes no difference");
    let bytes: usize = whole.iter().map(Vec::len).sum();
    assert!(bytes <= file.len(), "no byte is in two records");
    for record in whole {
        let draft = match provider.draft(&record) {
            Ok(draft) => draft,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        let id = draft.id.expect("every record has an id");
        assert_eq!(provider.draft(&record).expect("as before").id, Some(id));
        if let Err(error) = events::validate(draft) {
            refused(&error);
            assert!(error.to_string().starts_with("occurred_at: "), "{error}");
        }
    }
});

fn records(file: &[u8], capacity: usize, provider: Provider) -> Vec<Vec<u8>> {
    let mut records = Records::new(BufReader::with_capacity(capacity, file), provider.wrappers());
    let mut found = Vec::new();
    // The error is that of a list without an end.
    while let Ok(Some((number, record))) = records.next_record() {
        let Record::Whole(record) = record else { panic!("no input is that long") };
        assert!(!record.is_empty());
        found.push(record.to_vec());
        assert_eq!(number, found.len() as u64);
    }
    found
}
