//! Headers of every answer.

mod browser_headers;
