DROP TABLE token_keys;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE signing_keys;
DROP TABLE api_tokens;
DROP TABLE accounts;
