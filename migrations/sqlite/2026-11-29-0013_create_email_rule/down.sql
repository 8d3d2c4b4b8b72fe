DROP TABLE email_rule;
