-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_invitations" table
CREATE TABLE `new_invitations` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `permissions` json NOT NULL, `all_permissions` bool NOT NULL DEFAULT (false), `allowed_domains` json NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `email` text NOT NULL, `email_key` text NOT NULL, `first_name` text NOT NULL DEFAULT (''), `last_name` text NOT NULL DEFAULT (''), `job_title` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('PENDING'), `granter_id` text NOT NULL DEFAULT (''), `search` text NOT NULL DEFAULT (''), `superseded` bool NOT NULL DEFAULT (false), `expires_at` datetime NOT NULL, `token_hash` blob NOT NULL, `token_generation` integer NOT NULL DEFAULT (1), `token_mailed` bool NOT NULL DEFAULT (false), `delivery` text NOT NULL DEFAULT ('NOT_REQUESTED'), `delivery_attempts` integer NOT NULL DEFAULT (0), `delivery_error` text NOT NULL DEFAULT (''), `delivery_updated_at` datetime NULL, `last_sent_at` datetime NULL, `send_count` integer NOT NULL DEFAULT (0), `resent_at` datetime NULL, `resend_day_start` datetime NULL, `resends_of_day` integer NOT NULL DEFAULT (0), `team_id` text NOT NULL, `inviter_id` text NULL, `accepted_by_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `invitations_teams_invitations` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE NO ACTION, CONSTRAINT `invitations_users_sent_invitations` FOREIGN KEY (`inviter_id`) REFERENCES `users` (`id`) ON DELETE SET NULL, CONSTRAINT `invitations_users_accepted_invitations` FOREIGN KEY (`accepted_by_id`) REFERENCES `users` (`id`) ON DELETE SET NULL);
-- copy rows from old table "invitations" to new temporary table "new_invitations"
INSERT INTO `new_invitations` (`id`, `created_at`, `account_id`, `permissions`, `all_permissions`, `allowed_domains`, `version`, `updated_at`, `email`, `email_key`, `first_name`, `last_name`, `job_title`, `note`, `status`, `expires_at`, `token_hash`, `token_generation`, `token_mailed`, `delivery`, `delivery_attempts`, `delivery_error`, `delivery_updated_at`, `last_sent_at`, `send_count`, `resent_at`, `resend_day_start`, `resends_of_day`, `team_id`, `inviter_id`, `accepted_by_id`) SELECT `id`, `created_at`, `account_id`, `permissions`, `all_permissions`, `allowed_domains`, `version`, `updated_at`, `email`, `email_key`, `first_name`, `last_name`, `job_title`, `note`, `status`, `expires_at`, `token_hash`, `token_generation`, `token_mailed`, `delivery`, `delivery_attempts`, `delivery_error`, `delivery_updated_at`, `last_sent_at`, `send_count`, `resent_at`, `resend_day_start`, `resends_of_day`, `team_id`, `inviter_id`, `accepted_by_id` FROM `invitations`;
-- drop "invitations" table after copying rows
DROP TABLE `invitations`;
-- rename temporary table "new_invitations" to "invitations"
ALTER TABLE `new_invitations` RENAME TO `invitations`;
-- create index "invitations_token_hash_key" to table: "invitations"
CREATE UNIQUE INDEX `invitations_token_hash_key` ON `invitations` (`token_hash`);
-- create index "invitation_pending_of_team_email" to table: "invitations"
CREATE UNIQUE INDEX `invitation_pending_of_team_email` ON `invitations` (`team_id`, `email_key`) WHERE status = 'PENDING';
-- create index "invitation_email_key" to table: "invitations"
CREATE INDEX `invitation_email_key` ON `invitations` (`email_key`);
-- create index "invitation_inviter_id" to table: "invitations"
CREATE INDEX `invitation_inviter_id` ON `invitations` (`inviter_id`);
-- create index "invitation_accepted_by_id" to table: "invitations"
CREATE INDEX `invitation_accepted_by_id` ON `invitations` (`accepted_by_id`);
-- create index "invitation_pending_by_expiry" to table: "invitations"
CREATE INDEX `invitation_pending_by_expiry` ON `invitations` (`expires_at`) WHERE status = 'PENDING';
-- create index "invitation_pending_of_account" to table: "invitations"
CREATE INDEX `invitation_pending_of_account` ON `invitations` (`account_id`) WHERE status = 'PENDING';
-- create index "invitation_pending_of_granter" to table: "invitations"
CREATE INDEX `invitation_pending_of_granter` ON `invitations` (`granter_id`) WHERE status = 'PENDING';
-- create index "invitation_team_id_created_at_id" to table: "invitations"
CREATE INDEX `invitation_team_id_created_at_id` ON `invitations` (`team_id`, `created_at`, `id`);
-- create index "invitation_team_id_status_created_at_id" to table: "invitations"
CREATE INDEX `invitation_team_id_status_created_at_id` ON `invitations` (`team_id`, `status`, `created_at`, `id`);
-- create index "invitation_team_id_email_key_id" to table: "invitations"
CREATE INDEX `invitation_team_id_email_key_id` ON `invitations` (`team_id`, `email_key`, `id`);
-- create index "invitation_team_id_expires_at_id" to table: "invitations"
CREATE INDEX `invitation_team_id_expires_at_id` ON `invitations` (`team_id`, `expires_at`, `id`);
-- create "new_members" table
CREATE TABLE `new_members` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `permissions` json NOT NULL, `all_permissions` bool NOT NULL DEFAULT (false), `allowed_domains` json NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `is_owner` bool NOT NULL DEFAULT (false), `email_key` text NOT NULL DEFAULT (''), `sort_name` text NOT NULL DEFAULT (''), `seen_unix` integer NOT NULL DEFAULT (0), `search` text NOT NULL DEFAULT (''), `team_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `members_teams_members` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE NO ACTION, CONSTRAINT `members_users_members` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- copy rows from old table "members" to new temporary table "new_members"
INSERT INTO `new_members` (`id`, `created_at`, `account_id`, `permissions`, `all_permissions`, `allowed_domains`, `version`, `updated_at`, `status`, `is_owner`, `team_id`, `user_id`) SELECT `id`, `created_at`, `account_id`, `permissions`, `all_permissions`, `allowed_domains`, `version`, `updated_at`, `status`, `is_owner`, `team_id`, `user_id` FROM `members`;
-- drop "members" table after copying rows
DROP TABLE `members`;
-- rename temporary table "new_members" to "members"
ALTER TABLE `new_members` RENAME TO `members`;
-- create index "member_team_id_user_id" to table: "members"
CREATE UNIQUE INDEX `member_team_id_user_id` ON `members` (`team_id`, `user_id`);
-- create index "member_owner_of_team" to table: "members"
CREATE UNIQUE INDEX `member_owner_of_team` ON `members` (`team_id`) WHERE is_owner;
-- create index "member_user_id" to table: "members"
CREATE INDEX `member_user_id` ON `members` (`user_id`);
-- create index "member_team_id_created_at_id" to table: "members"
CREATE INDEX `member_team_id_created_at_id` ON `members` (`team_id`, `created_at`, `id`);
-- create index "member_team_id_status_created_at_id" to table: "members"
CREATE INDEX `member_team_id_status_created_at_id` ON `members` (`team_id`, `status`, `created_at`, `id`);
-- create index "member_team_id_sort_name_id" to table: "members"
CREATE INDEX `member_team_id_sort_name_id` ON `members` (`team_id`, `sort_name`, `id`);
-- create index "member_team_id_email_key_id" to table: "members"
CREATE INDEX `member_team_id_email_key_id` ON `members` (`team_id`, `email_key`, `id`);
-- create index "member_team_id_seen_unix_id" to table: "members"
CREATE INDEX `member_team_id_seen_unix_id` ON `members` (`team_id`, `seen_unix`, `id`);
-- create "new_teams" table
CREATE TABLE `new_teams` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `is_default` bool NOT NULL DEFAULT (false), `active_members` integer NOT NULL DEFAULT (0), `deactivated_members` integer NOT NULL DEFAULT (0), `pending_invitations` integer NOT NULL DEFAULT (0), `expired_invitations` integer NOT NULL DEFAULT (0), `all_invitations` integer NOT NULL DEFAULT (0), `account_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `teams_accounts_teams` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION);
-- copy rows from old table "teams" to new temporary table "new_teams"
INSERT INTO `new_teams` (`id`, `created_at`, `version`, `updated_at`, `name`, `is_default`, `account_id`) SELECT `id`, `created_at`, `version`, `updated_at`, `name`, `is_default`, `account_id` FROM `teams`;
-- drop "teams" table after copying rows
DROP TABLE `teams`;
-- rename temporary table "new_teams" to "teams"
ALTER TABLE `new_teams` RENAME TO `teams`;
-- create index "team_account_id_created_at_id" to table: "teams"
CREATE INDEX `team_account_id_created_at_id` ON `teams` (`account_id`, `created_at`, `id`);
-- create index "team_default_of_account" to table: "teams"
CREATE UNIQUE INDEX `team_default_of_account` ON `teams` (`account_id`) WHERE is_default;
-- create "divisions" table
CREATE TABLE `divisions` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `account_id` text NOT NULL, `parent_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `divisions_accounts_divisions` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION, CONSTRAINT `divisions_divisions_children` FOREIGN KEY (`parent_id`) REFERENCES `divisions` (`id`) ON DELETE SET NULL);
-- create index "division_account_id_created_at_id" to table: "divisions"
CREATE INDEX `division_account_id_created_at_id` ON `divisions` (`account_id`, `created_at`, `id`);
-- create index "division_parent_id" to table: "divisions"
CREATE INDEX `division_parent_id` ON `divisions` (`parent_id`);
-- create "groups" table
CREATE TABLE `groups` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `account_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `groups_accounts_groups` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION);
-- create index "group_account_id_created_at_id" to table: "groups"
CREATE INDEX `group_account_id_created_at_id` ON `groups` (`account_id`, `created_at`, `id`);
-- create "ownership_transfers" table
CREATE TABLE `ownership_transfers` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `status` text NOT NULL DEFAULT ('PENDING'), `expires_at` datetime NOT NULL, `from_id` text NOT NULL, `to_id` text NOT NULL, `team_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `ownership_transfers_members_offered_transfers` FOREIGN KEY (`from_id`) REFERENCES `members` (`id`) ON DELETE CASCADE, CONSTRAINT `ownership_transfers_members_received_transfers` FOREIGN KEY (`to_id`) REFERENCES `members` (`id`) ON DELETE CASCADE, CONSTRAINT `ownership_transfers_teams_transfers` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE NO ACTION);
-- create index "transfer_pending_of_team" to table: "ownership_transfers"
CREATE UNIQUE INDEX `transfer_pending_of_team` ON `ownership_transfers` (`team_id`) WHERE status = 'PENDING';
-- create index "ownershiptransfer_team_id_created_at" to table: "ownership_transfers"
CREATE INDEX `ownershiptransfer_team_id_created_at` ON `ownership_transfers` (`team_id`, `created_at`);
-- create index "ownershiptransfer_from_id" to table: "ownership_transfers"
CREATE INDEX `ownershiptransfer_from_id` ON `ownership_transfers` (`from_id`);
-- create index "ownershiptransfer_to_id" to table: "ownership_transfers"
CREATE INDEX `ownershiptransfer_to_id` ON `ownership_transfers` (`to_id`);
-- create "group_roles" table
CREATE TABLE `group_roles` (`group_id` text NOT NULL, `role_id` text NOT NULL, PRIMARY KEY (`group_id`, `role_id`), CONSTRAINT `group_roles_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE, CONSTRAINT `group_roles_role_id` FOREIGN KEY (`role_id`) REFERENCES `roles` (`id`) ON DELETE CASCADE);
-- create "invitation_groups" table
CREATE TABLE `invitation_groups` (`invitation_id` text NOT NULL, `group_id` text NOT NULL, PRIMARY KEY (`invitation_id`, `group_id`), CONSTRAINT `invitation_groups_invitation_id` FOREIGN KEY (`invitation_id`) REFERENCES `invitations` (`id`) ON DELETE CASCADE, CONSTRAINT `invitation_groups_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create "invitation_divisions" table
CREATE TABLE `invitation_divisions` (`invitation_id` text NOT NULL, `division_id` text NOT NULL, PRIMARY KEY (`invitation_id`, `division_id`), CONSTRAINT `invitation_divisions_invitation_id` FOREIGN KEY (`invitation_id`) REFERENCES `invitations` (`id`) ON DELETE CASCADE, CONSTRAINT `invitation_divisions_division_id` FOREIGN KEY (`division_id`) REFERENCES `divisions` (`id`) ON DELETE CASCADE);
-- create "member_groups" table
CREATE TABLE `member_groups` (`member_id` text NOT NULL, `group_id` text NOT NULL, PRIMARY KEY (`member_id`, `group_id`), CONSTRAINT `member_groups_member_id` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE CASCADE, CONSTRAINT `member_groups_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE);
-- create "member_divisions" table
CREATE TABLE `member_divisions` (`member_id` text NOT NULL, `division_id` text NOT NULL, PRIMARY KEY (`member_id`, `division_id`), CONSTRAINT `member_divisions_member_id` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE CASCADE, CONSTRAINT `member_divisions_division_id` FOREIGN KEY (`division_id`) REFERENCES `divisions` (`id`) ON DELETE CASCADE);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
