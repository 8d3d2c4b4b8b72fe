//! Rate limits, login delays and limits of parallel work.

mod analytic_permits;
mod login_attempts;
mod overload;
mod requests;
