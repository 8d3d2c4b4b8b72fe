//! TLS to PostgreSQL with certificates of X.509 version 1, which is enough where no verification is asked for.
//!
//! The test turns TLS on in the cluster of the tests, so it is the only one in its process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::time::{Duration, Instant};
use std::{env, fs};

use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, run_on_postgres};

const VARIABLE: &str = "TRAILKEEPER_TEST_POSTGRES_URL";

/// Makes a key and a certificate of version 1 in the server's folder, by the server's own user.
const CERTIFICATES: &str = "\
openssl req -new -newkey rsa:2048 -nodes -keyout trailkeeper-rsa.key -subj /CN=db -out rsa.csr && \
openssl x509 -req -in rsa.csr -signkey trailkeeper-rsa.key -days 2 -out trailkeeper-rsa.crt && \
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout trailkeeper-ec.key -subj /CN=db \
-out ec.csr && \
openssl x509 -req -in ec.csr -signkey trailkeeper-ec.key -days 2 -out trailkeeper-ec.crt && \
openssl x509 -in trailkeeper-rsa.crt -noout -text | grep -q \"Version: 1 \" && \
openssl x509 -in trailkeeper-ec.crt -noout -text | grep -q \"Version: 1 \"";

fn admin(sql: &str) -> Vec<Vec<Option<String>>> {
    run_on_postgres(&env::var(VARIABLE).unwrap(), sql)
}

/// Sets the parameters, and waits until new connections have them.
fn set(parameters: &[(&str, &str)]) {
    for (name, value) in parameters {
        admin(&format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
    admin("SELECT pg_reload_conf()");
    let end = Instant::now() + Duration::from_secs(20);
    for (name, value) in parameters {
        while admin(&format!("SHOW {name}")) != [[Some((*value).to_owned())]] {
            assert!(Instant::now() < end, "{name} does not become {value}");
        }
    }
}

/// Turns TLS off again.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        for name in ["ssl", "ssl_cert_file", "ssl_key_file", "ssl_max_protocol_version"] {
            admin(&format!("ALTER SYSTEM RESET {name}"));
        }
        admin("SELECT pg_reload_conf()");
    }
}

#[test]
fn a_certificate_of_version_1_works_where_it_is_not_verified() {
    let database = TempDatabase::postgres();
    let url = |mode: &str| DatabaseUrl::parse(&format!("{}?sslmode={mode}", database.url())).unwrap();
    assert!(migrate(&url("require")).is_err(), "the server speaks no TLS yet");
    admin(&format!("COPY (SELECT 1) TO PROGRAM '{CERTIFICATES}'"));
    let _restored = Restored;
    for kind in ["rsa", "ec"] {
        for version in ["TLSv1.2", "TLSv1.3"] {
            let file = |ending| format!("trailkeeper-{kind}.{ending}");
            set(&[
                ("ssl_cert_file", &file("crt")),
                ("ssl_key_file", &file("key")),
                ("ssl_max_protocol_version", version),
                ("ssl", "on"),
            ]);
            for mode in ["require", "prefer"] {
                migrate(&url(mode)).unwrap_or_else(|error| panic!("{kind} {version} {mode}: {}", error.chain()));
                let store = open(&url(mode), &StoreOptions::default()).unwrap();
                store.ready().unwrap();
                let used = admin(
                    "SELECT DISTINCT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE ssl AND application_name = 'trailkeeper'",
                );
                assert_eq!(used, [[Some(version.to_owned())]], "{kind} {mode}");
            }
        }
        // The certificate is its own authority, and for this name; only its version is wrong.
        let certificate = admin(&format!("SELECT pg_read_file('trailkeeper-{kind}.crt')")).remove(0).remove(0).unwrap();
        // In the folder of this value.
        let folder = TempDatabase::sqlite();
        fs::write(folder.path(), certificate).unwrap();
        let full = url(&format!("verify-full&sslrootcert={}", folder.path().display()));
        let error = migrate(&full).unwrap_err().chain().to_string();
        assert!(error.contains("is not of X.509 version 3") && error.contains("sslmode=require"), "{error}");
    }
}
