DROP TABLE attribute_changes;
DROP TABLE creations;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE tenants;
