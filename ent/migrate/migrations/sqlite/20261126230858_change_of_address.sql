-- +goose Up
-- create "email_changes" table
CREATE TABLE `email_changes` (`id` text NOT NULL, `created_at` datetime NOT NULL, `user_id` text NOT NULL, `old_email_key` text NOT NULL, `new_email` text NOT NULL, `new_email_key` text NOT NULL, `old_token_hash` blob NOT NULL, `new_token_hash` blob NOT NULL, `confirmed_by_old` bool NOT NULL DEFAULT (false), `confirmed_by_new` bool NOT NULL DEFAULT (false), `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "email_changes_user_id_key" to table: "email_changes"
CREATE UNIQUE INDEX `email_changes_user_id_key` ON `email_changes` (`user_id`);
-- create index "email_changes_old_token_hash_key" to table: "email_changes"
CREATE UNIQUE INDEX `email_changes_old_token_hash_key` ON `email_changes` (`old_token_hash`);
-- create index "email_changes_new_token_hash_key" to table: "email_changes"
CREATE UNIQUE INDEX `email_changes_new_token_hash_key` ON `email_changes` (`new_token_hash`);
-- create index "emailchange_expires_at" to table: "email_changes"
CREATE INDEX `emailchange_expires_at` ON `email_changes` (`expires_at`);
