//! The values of the native API as the OpenAPI document describes them. A schema allows exactly the values that the
//! server accepts.
//!
//! Each type here is only a name with a schema. Patterns repeat the lengths, because engines differ in how `$` and
//! lengths work together. Texts exclude control characters, as `trailkeeper_domain::text` does.

use trailkeeper_analytics::{Granularity as BucketLength, WeekStart as FirstWeekday};
use trailkeeper_domain::account::Role as RoleName;
use trailkeeper_domain::event::{MAX_USER_AGENT, Outcome};
use trailkeeper_domain::page::MAX_PAGE;
use trailkeeper_domain::retention::MAX_DAYS;
use trailkeeper_domain::stream::{MAX_DESTINATION, StreamFormat as StreamFormats, StreamState as StreamStates};
use trailkeeper_domain::user::{MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTE_VALUE, MAX_ATTRIBUTES, UserStatus};
use trailkeeper_export::Format;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AdditionalProperties, Array, ArrayBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, Object, ObjectBuilder};

use crate::documented::addresses::{address, address_or_network};
use crate::documented::instants::day_or_instant;
use crate::documented::{DAY, formatted, integer, lines, one_of, patterned, text, values};
use crate::request::credential::MAX_CREDENTIAL_BYTES;
pub use crate::timezone::TimeZone;

/// The only comparison of an analytic question: with the period of the same length before.
pub const PREVIOUS_PERIOD: &str = "previous_period";

values! {
    /// A tenant's id.
    TenantId = uuid().examples(["69e732d6-8ecc-45c4-a2eb-8438f7ffe775"]);
    /// An event's id.
    EventId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77"]);
    /// An environment's number.
    EnvId = integer(KnownFormat::Int64, 0, u32::MAX.into()).examples([1]);
    /// A user's id.
    UserId = text(1, 128).examples(["u-4711"]);
    /// A user's display name.
    UserName = text(1, 256).examples(["Jane Doe"]);
    /// The name of a program, as in `User-Agent`.
    UserAgent = text(1, MAX_USER_AGENT).examples(["Mozilla/5.0"]);
    /// A page: a URL or a path.
    Page = text(1, MAX_PAGE).examples(["/invoices?page=2"]);
    /// The id of a session of the application.
    SessionId = text(1, 128).examples(["s-1"]);
    /// The id of a trace or request.
    TraceId = text(1, 128).examples(["4bf92f3577b34da6a3ce929d0e0e4736"]);
    /// A tenant's name.
    TenantName = text(1, 256).examples(["Example Ltd"]);
    /// A login name.
    Username = text(1, 128).examples(["jane"]);
    /// The type of a target.
    TargetType = text(1, 64).examples(["invoice"]);
    /// The id or the name of a target.
    TargetText = text(1, 256).examples(["4711"]);
    /// The start of a value as it was sent.
    OriginalText = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(1024))
        .examples(["AWS Internal"]);
    /// A SHA-256.
    Sha256 = patterned("^[0-9a-f]{64}$", 64, 64)
        .examples(["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]);
    /// An event's type.
    EventType = patterned(r"^[a-z][a-z0-9_.]{0,63}$", 1, 64).examples(["page_load"]);
    /// An event's outcome.
    EventOutcome = one_of(Outcome::ALL.map(Outcome::as_str));
    /// The status of a user's account in the application.
    AccountStatus = one_of(UserStatus::ALL.map(UserStatus::as_str));
    /// An instant.
    Instant = time().examples(["2026-01-31T12:00:00Z"]);
    /// An instant or a day.
    InstantOrDay = day_or_instant().examples(["2026-01-31", "2026-01-31T12:00:00Z"])
        .description(Some("An RFC 3339 time with an offset, or a day, from 1970 to 9999: a UTC day, or one of `timezone` where there is that parameter."));
    /// An instant in local time.
    LocalInstant = formatted(KnownFormat::DateTime).pattern(Some(r"^[0-9]{4}-")).examples(["2026-01-31T00:00:00+09:00"])
        .description(Some("RFC 3339 with the offset of the time zone at that instant."));
    /// The length of a bucket.
    Granularity = one_of(BucketLength::ALL.map(BucketLength::as_str));
    /// The day on which weeks begin.
    WeekStart = one_of(FirstWeekday::ALL.map(FirstWeekday::as_str));
    /// The length of a cohort's period.
    CohortGranularity = one_of([BucketLength::Day, BucketLength::Week(FirstWeekday::Monday), BucketLength::Month].map(BucketLength::as_str));
    /// A local day.
    Day = day().examples(["2026-01-31"]);
    /// A number for each hour of the week.
    HoursOfTheWeek = hours_of_the_week();
    /// The period with which an answer is compared.
    Comparison = one_of([PREVIOUS_PERIOD]);
    /// A number of events, users or the like.
    Count = integer(KnownFormat::Int64, 0, i64::MAX).examples([42]);
    /// An IP address.
    Address = address().examples(["203.0.113.7", "2001:db8::1"]).description(Some("An IPv4 or IPv6 address."));
    /// An IP address or a network.
    AddressOrNetwork = address_or_network().examples(["203.0.113.7", "203.0.113.0/24", "2001:db8::/32"])
        .description(Some("An IPv4 or IPv6 address, or a network in CIDR notation."));
    /// An e-mail address.
    Email = patterned(EMAIL, 3, 320).examples(["jane@example.com"]);
    /// The largest number of rows of a ranking.
    RowLimit = integer(KnownFormat::Int32, 1, 10_000);
    /// The largest number of periods for which a cohort is followed.
    PeriodCount = integer(KnownFormat::Int32, 1, 90);
    /// The largest number of rows of a page.
    PageLimit = integer(KnownFormat::Int32, 1, 1000);
    /// A region.
    Region = patterned(r"^[A-Za-z0-9_-]{1,32}$", 1, 32).examples(["eu-west-1"]);
    /// A user pool.
    UserPoolId = patterned(r"^[A-Za-z0-9_-]+_[0-9A-Za-z]+$", 3, 55).examples(["eu-west-1_aBcD12345"]);
    /// A cursor of the list of events.
    EventCursor = cursor(EVENT_CURSOR, 7).examples(["e313736393836303830303030303030302e3432"]);
    /// A position in the feed of events.
    FeedCursor = patterned(&format!("^({FEED_CURSOR}|x[0-9a-f]{{{SEALED_FEED}}})$"), 81, 1 + SEALED_FEED)
        .description(Some(SEALED_FOR))
        .examples([SAMPLE_FEED_CURSOR]);
    /// The format of an export.
    ExportFormat = one_of(Format::ALL.map(Format::as_str));
    /// The length of a period of active users by tenant.
    TenantGranularity = one_of(["day", "month"]);
    /// The format of an answer of analytics.
    AnswerFormat = one_of(["json", "csv"]);
    /// True or false.
    TruthValue = ObjectBuilder::new().schema_type(Type::Boolean);
    /// What happens in CSV to texts that begin like a formula.
    FormulaHandling = one_of(["quote", "keep"]);
    /// Where a reading of the feed begins.
    FeedStart = one_of(["beginning", "now"]);
    /// Seconds.
    WaitSeconds = integer(KnownFormat::Int32, 0, MAX_WAIT_S.into());
    /// A cursor of the list of tenants.
    TenantCursor = cursor(&id_cursor('t'), 73).examples(["t36396537333264362d386563632d343563342d613265622d383433386637666665373735"]);
    /// A cursor of a list of users or memberships.
    UserCursor = user_cursor().examples(["u752d34373131"]);
    /// A cursor of the list of changes of a user's attributes.
    ChangeCursor = cursor("c(3[0-9]){1,18}", 3).examples(["c3432"]);
    /// An event's further data: an object with any fields.
    Metadata = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
        .examples([serde_json::json!({"plan": "pro"})]);
    /// A user's attributes.
    Attributes = attributes();
    /// An account's id.
    AccountId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c01"]);
    /// The id of an API token or of a signing key.
    CredentialId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c02"]);
    /// The id of a session that began with a login.
    LoginId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c04"]);
    /// An account's e-mail address.
    AccountEmail = patterned(EMAIL, 3, 254).examples(["jane@example.com"]);
    /// An account's display name.
    DisplayName = text(1, 256).examples(["Jane Doe"]);
    /// A role.
    Role = one_of(RoleName::ALL.map(RoleName::as_str));
    /// A credential's display name.
    CredentialName = text(1, 128).examples(["billing"]);
    /// A password, at a login.
    Password = typed().format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).write_only(true);
    /// A new password.
    NewPassword = text(12, 72).format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).write_only(true)
        .description(Some("12 to 72 bytes of UTF-8 without control characters; neither one of the commonest nor the e-mail."));
    /// A generated password.
    GeneratedPassword = formatted(KnownFormat::Password).read_only(true);
    /// An e-mail address, at a login.
    TypedEmail = typed().examples(["jane@example.com"]);
    /// A refresh token.
    RefreshToken = typed().examples(["rt_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE00"]);
    /// An API token itself.
    PlainToken = patterned("^tk_[0-9A-Za-z]{49}$", 52, 52);
    /// A signing key's secret.
    SecretKey = patterned("^sk_[0-9A-Za-z]{43}$", 46, 46);
    /// The state of an API token.
    TokenState = one_of(["active", "expired", "revoked"]);
    /// The state of a signing key.
    SigningKeyState = one_of(["active", "revoked"]);
    /// The state of a session.
    SessionState = one_of(["live", "ended", "expired"]);
    /// A cursor of the list of accounts.
    AccountCursor = plain_id_cursor('a');
    /// A cursor of the list of API tokens.
    TokenCursor = plain_id_cursor('k');
    /// A cursor of the list of signing keys.
    SigningKeyCursor = plain_id_cursor('s');
    /// The id of a rule of retention.
    RetentionRuleId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c05"]);
    /// A number of days.
    RetentionDays = integer(KnownFormat::Int32, 1, MAX_DAYS.into()).examples([90]);
    /// A cursor of the list of rules of retention.
    RetentionRuleCursor = plain_id_cursor('r');
    /// The id of a legal hold.
    LegalHoldId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c06"]);
    /// The name of a case.
    CaseName = text(1, 128).examples(["2026-17"]);
    /// The reason of a legal hold.
    HoldReason = text(1, 1024).examples(["court order"]);
    /// A cursor of the list of legal holds.
    LegalHoldCursor = plain_id_cursor('h');
    /// The id of a forwarding stream.
    StreamId = uuid().examples(["01975f3c-2b4e-7c10-9a31-5f0d2f9b1c07"]);
    /// The address to which a stream sends.
    StreamDestination = patterned(r"^https://[!#-;=?-\[\]_a-z~]+$", 9, MAX_DESTINATION).examples(["https://siem.example/events"])
        .description(Some("An https URL with a host name or an address, without user name and fragment."));
    /// How a stream writes events.
    StreamFormat = one_of(StreamFormats::ALL.map(StreamFormats::as_str));
    /// The state of a stream.
    StreamState = one_of(StreamStates::ALL.map(StreamStates::as_str));
    /// Where a stream begins.
    StreamStart = patterned(&format!("^(now|beginning|{FEED_CURSOR})$"), 3, 81).examples(["now"])
        .description(Some("`now`, `beginning`, or a plain cursor of the feed."));
    /// Why a destination did not accept a message.
    StreamError = text(1, 512).examples(["siem.example answered 404"]);
    /// The secret of a stream.
    StreamSecret = patterned("^whsec_[0-9A-Za-z+/]{43}=$", 50, 50);
    /// The id of a message of a stream.
    MessageId = patterned("^msg_[0-9a-f]{32}$", 36, 36).examples(["msg_0123456789abcdef0123456789abcdef"]);
    /// A cursor of the list of streams.
    StreamCursor = plain_id_cursor('w');
    /// A cursor of the list of sessions.
    SessionCursor = cursor(&id_cursor('l'), 73);
}

/// The description of a display name. It completes "send …" in error messages.
pub const A_NAME: &str = "a name for people as a text";
/// The description of the start of a stream. It completes "send …" in error messages.
pub const A_START: &str = "now, beginning or a cursor of the feed as a text";

/// The description of an account's e-mail address. It completes "send …" in error messages.
pub const AN_EMAIL: &str = "the account's e-mail address as a text";

const EMAIL: &str = r"^[^\s@\x00-\x1F\x7F-\x9F]+@[^\s\x00-\x1F\x7F-\x9F]+$";

const UUID: &str = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
/// The number of digits of a sealed cursor.
const SEALED: usize = 216;
const SEALED_FOR: &str =
    "Opaque. A credential scoped to a tenant gets another form, and each form is refused from the other.";
/// The number of digits of a sealed cursor of the feed.
const SEALED_FEED: usize = 136;
/// A UUID and three numbers of 64 bits, of which the first is positive.
const FEED_CURSOR: &str = "f[0-9a-f]{32}[0-7][0-9a-f]{47}";
/// The cursor of the feed in examples: behind the event 42.
pub const SAMPLE_FEED_CURSOR: &str =
    "f3f0e3a82f9114d55b7bf6ba0df7629d9000000000000002a0000000000000000c0ffee0000000001";
/// The longest time that a request waits for events, in seconds.
pub const MAX_WAIT_S: u8 = 60;
/// A time in microseconds and a number, as the hexadecimal digits of their characters.
const EVENT_CURSOR: &str = "e(3[0-9]){1,16}2e(3[0-9]){1,18}";
/// A text of 1 to 128 characters without control characters, as the hexadecimal digits of its UTF-8.
const USER_CURSOR: &str = concat!(
    "u(",
    "[2-6][0-9a-f]|7[0-9a-e]",
    "|c2[ab][0-9a-f]|(c[3-9a-f]|d[0-9a-f])[89ab][0-9a-f]",
    "|e0[ab][0-9a-f][89ab][0-9a-f]|e[1-9a-cef]([89ab][0-9a-f]){2}|ed[89][0-9a-f][89ab][0-9a-f]",
    "|f0[9ab][0-9a-f]([89ab][0-9a-f]){2}|f[1-3]([89ab][0-9a-f]){3}|f48[0-9a-f]([89ab][0-9a-f]){2}",
    "){1,128}"
);
/// A UUID in lower case, as the hexadecimal digits of its characters, behind the letter of its list.
fn id_cursor(list: char) -> String {
    format!("{list}(3[0-9]|6[1-6]){{8}}(2d(3[0-9]|6[1-6]){{4}}){{3}}2d(3[0-9]|6[1-6]){{12}}")
}

/// The cursors of a list that tenant-scoped credentials cannot see: they are never sealed.
fn plain_id_cursor(list: char) -> ObjectBuilder {
    patterned(&format!("^{}$", id_cursor(list)), 73, 73)
}

/// A plain cursor of at least `min` characters, or a sealed one.
fn cursor(plain: &str, min: usize) -> ObjectBuilder {
    patterned(&format!("^({plain}|x[0-9a-f]{{{SEALED}}})$"), min, 1 + SEALED).description(Some(SEALED_FOR))
}

/// A cursor of a list of users. A sealed one grows with the id in it.
fn user_cursor() -> ObjectBuilder {
    let (step, steps) = (160, 12);
    let pattern = format!("^({USER_CURSOR}|x[0-9a-f]{{{SEALED}}}([0-9a-f]{{{step}}}){{0,{steps}}})$");
    patterned(&pattern, 3, 1 + SEALED + step * steps).description(Some(SEALED_FOR))
}

/// A text that someone typed. The limit counts bytes of UTF-8, so this many characters always fit.
fn typed() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_CREDENTIAL_BYTES / 4))
}

/// A UUID, only in the hyphenated form.
fn uuid() -> ObjectBuilder {
    formatted(KnownFormat::Uuid).pattern(Some(UUID))
}

fn time() -> ObjectBuilder {
    formatted(KnownFormat::DateTime)
        .pattern(Some(r"^(19[7-9][0-9]|[2-9][0-9]{3})-"))
        .description(Some("RFC 3339 with an offset, from 1970 to 9999."))
}

fn day() -> ObjectBuilder {
    formatted(KnownFormat::Date).pattern(Some(DAY))
}

/// Seven days with 24 hours each.
fn hours_of_the_week() -> Array {
    let count = integer(KnownFormat::Int64, 0, i64::MAX);
    let day = ArrayBuilder::new().items(count).min_items(Some(24)).max_items(Some(24));
    ArrayBuilder::new().items(day).min_items(Some(7)).max_items(Some(7)).build()
}

/// `email` and `sub` have fields of their own and are excluded by `not`, which utoipa cannot express.
fn attributes() -> Object {
    let mut name = text(1, MAX_ATTRIBUTE_NAME).build();
    let reserved = serde_json::json!({"enum": ["email", "sub"]});
    name.extensions = Some(Extensions::from_iter([("not", reserved)]));
    ObjectBuilder::new()
        .property_names(Some(Schema::Object(name)))
        .additional_properties(Some(lines(0, MAX_ATTRIBUTE_VALUE)))
        .max_properties(Some(MAX_ATTRIBUTES))
        .description(Some("At most 100, each a name with a text. E-mail and subject have fields of their own."))
        .examples([serde_json::json!({"department": "sales"})])
        .build()
}
