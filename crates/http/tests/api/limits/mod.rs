//! Rate limits, login delays and limits of parallel work.

mod analytic_permits;
mod body_budget;
mod login_attempts;
mod overload;
mod requests;
