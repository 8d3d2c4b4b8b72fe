//! Tests of users' fields and filters.

use super::*;
use crate::testing::{CUSTOMERS, code_and_field, of_tenant, tenant_id, uuid};
use crate::time::Timestamp;

fn pool(id: &str) -> PoolId {
    PoolId::parse("user_pool_id", id).unwrap()
}

#[test]
fn status_names_are_those_of_cognito_and_lead_back() {
    let names = [
        "UNCONFIRMED",
        "CONFIRMED",
        "ARCHIVED",
        "COMPROMISED",
        "UNKNOWN",
        "RESET_REQUIRED",
        "FORCE_CHANGE_PASSWORD",
        "EXTERNAL_PROVIDER",
    ];
    assert_eq!(UserStatus::ALL.map(UserStatus::as_str), names);
    for status in UserStatus::ALL {
        assert_eq!(UserStatus::parse("status", status.as_str()).unwrap(), status);
    }
    let error = UserStatus::parse("status", "confirmed").unwrap_err().to_string();
    assert!(error.starts_with("status: 'confirmed' is not a user status; send one of UNCONFIRMED, "), "{error}");
    assert_eq!(UserStatus::default(), UserStatus::Confirmed);
}

#[test]
fn a_pool_is_a_region_and_an_id() {
    let longest = format!("{}_{}", "r".repeat(27), "i".repeat(27));
    for (good, region) in [
        ("eu-west-1_aBcD12345", "eu-west-1"),
        ("eu_west_1_a", "eu_west_1"),
        ("_x_1", "_x"),
        (longest.as_str(), longest.split('_').next().unwrap()),
    ] {
        assert_eq!((pool(good).as_str(), pool(good).region()), (good, region));
    }
    let too_long = format!("{longest}i");
    for bad in ["", "_", "eu-west-1", "eu-west-1_", "_abc", "eu west_a", "eu.west_a", "eu_a-b", "eü_a", &too_long] {
        let error = PoolId::parse("user_pool_id", bad).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("user_pool_id")), "{bad:?}");
    }
}

#[test]
fn a_region_comes_from_the_pool_or_agrees_with_it() {
    let eu = pool("eu-west-1_a");
    let checked = |region: Option<&str>, pool| checked_region("region", region.map(str::to_owned), pool);
    for (region, pool, expected) in [
        (None, None, None),
        (None, Some(&eu), Some("eu-west-1")),
        (Some("us-east-1"), None, Some("us-east-1")),
        (Some("eu-west-1"), Some(&eu), Some("eu-west-1")),
    ] {
        assert_eq!(checked(region, pool).unwrap().as_deref(), expected);
    }
    let error = checked(Some("us-east-1"), Some(&eu)).unwrap_err().to_string();
    assert_eq!(error, "region: 'us-east-1' contradicts user_pool_id 'eu-west-1_a', whose region is 'eu-west-1'");
}

#[test]
fn a_region_has_up_to_32_letters_digits_hyphens_and_underscores() {
    let checked = |region: &str| checked_region("region", Some(region.to_owned()), None);
    for good in ["a", "eu-west-1", "EU_1", &"r".repeat(32)] {
        assert!(checked(good).is_ok(), "{good}");
    }
    for bad in ["", "eu west", "eu.west", "eü", &"r".repeat(33)] {
        assert_eq!(code_and_field(&checked(bad).unwrap_err()), ("invalid_parameter", Some("region")), "{bad:?}");
    }
}

#[test]
fn an_attribute_has_a_name_and_may_have_an_empty_value() {
    let check = |name: &str, value: &str| {
        Attribute { name: name.to_owned(), value: value.to_owned() }
            .check("attributes[3]")
            .map_err(|error| code_and_field(&error).1.unwrap().to_owned())
    };
    assert_eq!(check(&"n".repeat(MAX_ATTRIBUTE_NAME), &"v".repeat(MAX_ATTRIBUTE_VALUE)), Ok(()));
    assert_eq!(check("n", ""), Ok(()));
    for (name, value) in [("", "v"), ("a\nb", "v"), (&"n".repeat(MAX_ATTRIBUTE_NAME + 1), "v")] {
        assert_eq!(check(name, value), Err("attributes[3].name".to_owned()));
    }
    let long = "v".repeat(MAX_ATTRIBUTE_VALUE + 1);
    assert_eq!(check("n", &long), Err("attributes[3].value".to_owned()));
}

#[test]
fn an_email_has_a_name_a_host_and_no_blank() {
    let longest = format!("{}@h", "n".repeat(318));
    for good in ["a@b", "ann+tag@example.org", "ann@mail@example.org", "ä@ö", longest.as_str()] {
        assert!(checked_email("email", good).is_ok(), "{good}");
    }
    let too_long = format!("n{longest}");
    for bad in ["", "ann", "@", "ann@", "@example.org", "a b@c", "a@b\u{a0}c", "a\n@b", too_long.as_str()] {
        let error = checked_email("email", bad).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("email")), "{bad:?}");
    }
}

#[test]
fn a_filter_by_email_has_the_address_as_typed_and_the_other_conditions() {
    let filter = UserFilter::by_email(CUSTOMERS, "Ann@Example.ORG", Some("eu".to_owned()), Some(pool("eu_1")));
    let expected = UserFilter {
        email: Some("Ann@Example.ORG".to_owned()),
        region: Some("eu".to_owned()),
        user_pool_id: Some(pool("eu_1")),
        ..UserFilter::within(CUSTOMERS)
    };
    assert_eq!(filter, expected);
    let of_one = of_tenant(tenant_id(1));
    assert_eq!(UserFilter::by_email(of_one, "a@b", None, None).visibility, of_one);
}

#[test]
fn a_user_without_a_login_name_is_shown_by_id() {
    let mut user = User {
        id: UserId::parse("user_id", "u-1").unwrap(),
        email: Some("ann@example.org".to_owned()),
        username: None,
        attributes: Vec::new(),
        region: None,
        user_pool_id: None,
        status: UserStatus::Confirmed,
        enabled: true,
        registered_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        creation_id: CreationId(uuid(1)),
    };
    assert_eq!(user.shown_name(), "u-1");
    user.username = Some("ann".to_owned());
    assert_eq!(user.shown_name(), "ann");
}
