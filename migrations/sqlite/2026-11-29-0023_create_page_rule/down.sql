DROP TABLE page_rule;
