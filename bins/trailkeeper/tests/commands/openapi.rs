//! `openapi`.

use std::path::Path;

use crate::support::Program;

#[test]
fn the_documents_are_the_committed_ones() {
    let program = Program::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi");
    for (contract, file) in [
        ("saasus", "saasus-analysis.json"),
        ("octopai", "octopai.json"),
        ("cripsa", "cripsa.json"),
        ("native", "trailkeeper.json"),
    ] {
        let printed = program.run(&["openapi", "--contract", contract]).good().stdout;
        let committed = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(printed == committed, "openapi/{file} differs from the code; run `make openapi`");
    }
}

#[test]
fn without_a_contract_all_operations_are_in_one_document() {
    let program = Program::new();
    let all = program.json(&["openapi"]);
    for path in ["/v1/events", "/v1/analysis/active-users", "/api/UserAccount/UserEvents", "/v1/auditlog/users/count"] {
        assert!(all["paths"][path].is_object(), "{path}");
    }
    program.run(&["openapi", "--contract", "other"]).failed(2);
}
