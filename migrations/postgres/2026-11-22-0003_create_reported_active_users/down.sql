DROP TABLE reported_active_users;
