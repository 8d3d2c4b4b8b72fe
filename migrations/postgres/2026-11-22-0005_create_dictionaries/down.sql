DROP TABLE new_pages;
DROP TABLE dict_sources;
DROP TABLE dict_user_names;
DROP TABLE dict_user_agents;
DROP TABLE dict_kinds;
DROP TABLE dict_pages;
DROP TABLE dict_users;
