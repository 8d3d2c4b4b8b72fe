//! One file per command.

pub mod account;
pub mod backup;
pub mod config;
pub mod demo;
pub mod export;
pub mod hold;
pub mod import;
pub mod master_key;
pub mod migrate;
pub mod openapi;
pub mod rebuild;
pub mod restore;
pub mod retention;
pub mod serve;
pub mod session;
pub mod signing_key;
pub mod token;
pub mod token_key;
pub mod vacuum;
pub mod verify;
