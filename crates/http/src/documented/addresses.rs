//! The schemas of addresses and networks. Each is one text with one pattern: generators make a text of it, and a type
//! that nothing can be read into of a choice of patterns.

use utoipa::openapi::ObjectBuilder;

use super::patterned;

const IPV4: &str = r"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4_PREFIX: &str = "/(3[0-2]|[12]?[0-9])";
const IPV6_PREFIX: &str = "/(12[0-8]|1[01][0-9]|[1-9]?[0-9])";
/// The longest IPv6 address with a prefix length: eight groups of four digits.
const LONGEST: usize = 39;

/// The schema of an IPv4 or IPv6 address.
pub fn address() -> ObjectBuilder {
    patterned(&format!("^({IPV4}|{})$", ipv6()), 2, LONGEST)
}

/// The schema of an address, or of a network in CIDR notation.
pub fn address_or_network() -> ObjectBuilder {
    let pattern = format!("^({IPV4}({IPV4_PREFIX})?|{}({IPV6_PREFIX})?)$", ipv6());
    patterned(&pattern, 2, LONGEST + "/128".len())
}

/// An IPv6 address in hexadecimal groups: all eight, or fewer around one `::`.
fn ipv6() -> String {
    let group = "[0-9A-Fa-f]{1,4}";
    let mut forms = vec![format!("({group}:){{7}}{group}"), format!("({group}:){{1,7}}:")];
    for before in (1..=6).rev() {
        let after = 7 - before;
        forms.push(format!("({group}:){{1,{before}}}(:{group}){{1,{after}}}"));
    }
    forms.push(format!(":((:{group}){{1,7}}|:)"));
    format!("({})", forms.join("|"))
}
