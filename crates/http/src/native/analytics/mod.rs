//! Analytic questions over any range, in any time zone.

mod active_users;
mod csv;
mod logins;
mod page_statistics;
mod params;
mod profile;
mod registrations;
mod retention;
mod series_view;
mod sources;
mod tenants;
mod timeline;
mod traffic;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        active_users::get_active_users,
        traffic::get_traffic,
        logins::get_logins,
        registrations::get_registrations,
        page_statistics::get_page_statistics,
        retention::get_retention,
        sources::get_sources,
        tenants::get_active_users_by_tenant,
        timeline::get_timeline,
        profile::get_profile,
    ]
}
