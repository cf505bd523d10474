-- +goose Up
-- create "api_keys" table
CREATE TABLE `api_keys` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `account_wide` bool NOT NULL, `name` text NOT NULL, `permissions` json NOT NULL, `secret_hash` blob NOT NULL, `hint` text NOT NULL, `expires_at` datetime NULL, `revoked_at` datetime NULL, `last_used_at` datetime NULL, `last_used_ip` text NOT NULL DEFAULT (''), `account_id` text NOT NULL, `team_id` text NULL, `creator_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `api_keys_accounts_api_keys` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION, CONSTRAINT `api_keys_teams_api_keys` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE SET NULL, CONSTRAINT `api_keys_users_created_keys` FOREIGN KEY (`creator_id`) REFERENCES `users` (`id`) ON DELETE SET NULL);
-- create index "api_keys_secret_hash_key" to table: "api_keys"
CREATE UNIQUE INDEX `api_keys_secret_hash_key` ON `api_keys` (`secret_hash`);
-- create index "apikey_account_id_created_at_id" to table: "api_keys"
CREATE INDEX `apikey_account_id_created_at_id` ON `api_keys` (`account_id`, `created_at`, `id`);
-- create index "apikey_team_id" to table: "api_keys"
CREATE INDEX `apikey_team_id` ON `api_keys` (`team_id`);
-- add column "inviter_key_id" to table: "invitations"
ALTER TABLE `invitations` ADD COLUMN `inviter_key_id` text NULL CONSTRAINT `invitations_api_keys_sent_invitations` REFERENCES `api_keys` (`id`) ON DELETE SET NULL;
-- create index "invitation_inviter_key_id" to table: "invitations"
CREATE INDEX `invitation_inviter_key_id` ON `invitations` (`inviter_key_id`);
