-- +goose Up
-- create "accounts" table
CREATE TABLE `accounts` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `preset` text NOT NULL, `event_seq` integer NOT NULL DEFAULT (0), `invitation_ttl_hours` integer NOT NULL DEFAULT (72), `count_pending_as_seats` bool NOT NULL DEFAULT (false), `keep_invitations_of_removed_members` bool NOT NULL DEFAULT (false), `multi_user` bool NOT NULL DEFAULT (true), `max_teams` integer NULL, `max_members_per_team` integer NULL, `max_pending_invitations` integer NULL, PRIMARY KEY (`id`));
-- create "events" table
CREATE TABLE `events` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `seq` integer NOT NULL, `type` text NOT NULL, `actor_id` text NOT NULL DEFAULT (''), `team_id` text NOT NULL DEFAULT (''), `subject_id` text NOT NULL DEFAULT (''), `data` json NOT NULL, `request_id` text NOT NULL DEFAULT (''), `client_ip` text NOT NULL DEFAULT (''), `user_agent` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "event_account_id_seq" to table: "events"
CREATE UNIQUE INDEX `event_account_id_seq` ON `events` (`account_id`, `seq`);
-- create index "event_subject_id_seq" to table: "events"
CREATE INDEX `event_subject_id_seq` ON `events` (`subject_id`, `seq`);
-- create "invitations" table
CREATE TABLE `invitations` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `permissions` json NOT NULL, `all_permissions` bool NOT NULL DEFAULT (false), `allowed_domains` json NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `email` text NOT NULL, `email_key` text NOT NULL, `first_name` text NOT NULL DEFAULT (''), `last_name` text NOT NULL DEFAULT (''), `job_title` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('PENDING'), `expires_at` datetime NOT NULL, `token_hash` blob NOT NULL, `token_generation` integer NOT NULL DEFAULT (1), `token_mailed` bool NOT NULL DEFAULT (false), `delivery` text NOT NULL DEFAULT ('NOT_REQUESTED'), `delivery_attempts` integer NOT NULL DEFAULT (0), `delivery_error` text NOT NULL DEFAULT (''), `delivery_updated_at` datetime NULL, `last_sent_at` datetime NULL, `send_count` integer NOT NULL DEFAULT (0), `resent_at` datetime NULL, `resend_day_start` datetime NULL, `resends_of_day` integer NOT NULL DEFAULT (0), `team_id` text NOT NULL, `inviter_id` text NULL, `accepted_by_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `invitations_teams_invitations` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE NO ACTION, CONSTRAINT `invitations_users_sent_invitations` FOREIGN KEY (`inviter_id`) REFERENCES `users` (`id`) ON DELETE SET NULL, CONSTRAINT `invitations_users_accepted_invitations` FOREIGN KEY (`accepted_by_id`) REFERENCES `users` (`id`) ON DELETE SET NULL);
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
-- create index "invitation_team_id_created_at_id" to table: "invitations"
CREATE INDEX `invitation_team_id_created_at_id` ON `invitations` (`team_id`, `created_at`, `id`);
-- create "jobs" table
CREATE TABLE `jobs` (`id` text NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `account_id` text NOT NULL DEFAULT (''), `subject_id` text NOT NULL, `generation` integer NOT NULL DEFAULT (0), `attempts` integer NOT NULL DEFAULT (0), `run_at` datetime NOT NULL, `leased_until` datetime NULL, `last_error` text NOT NULL DEFAULT (''), `dead_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "job_dead_at_run_at" to table: "jobs"
CREATE INDEX `job_dead_at_run_at` ON `jobs` (`dead_at`, `run_at`);
-- create index "job_subject_id" to table: "jobs"
CREATE INDEX `job_subject_id` ON `jobs` (`subject_id`);
-- create "members" table
CREATE TABLE `members` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `permissions` json NOT NULL, `all_permissions` bool NOT NULL DEFAULT (false), `allowed_domains` json NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `is_owner` bool NOT NULL DEFAULT (false), `team_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `members_teams_members` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE NO ACTION, CONSTRAINT `members_users_members` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- create index "member_team_id_user_id" to table: "members"
CREATE UNIQUE INDEX `member_team_id_user_id` ON `members` (`team_id`, `user_id`);
-- create index "member_owner_of_team" to table: "members"
CREATE UNIQUE INDEX `member_owner_of_team` ON `members` (`team_id`) WHERE is_owner;
-- create index "member_user_id" to table: "members"
CREATE INDEX `member_user_id` ON `members` (`user_id`);
-- create index "member_team_id_created_at_id" to table: "members"
CREATE INDEX `member_team_id_created_at_id` ON `members` (`team_id`, `created_at`, `id`);
-- create "roles" table
CREATE TABLE `roles` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `key` text NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `permissions` json NOT NULL, `is_system` bool NOT NULL DEFAULT (false), `account_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `roles_accounts_roles` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION);
-- create index "role_account_id_key" to table: "roles"
CREATE UNIQUE INDEX `role_account_id_key` ON `roles` (`account_id`, `key`);
-- create "sessions" table
CREATE TABLE `sessions` (`id` text NOT NULL, `created_at` datetime NOT NULL, `token_hash` blob NOT NULL, `last_seen_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `user_agent` text NOT NULL DEFAULT (''), `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sessions_users_sessions` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- create index "sessions_token_hash_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_token_hash_key` ON `sessions` (`token_hash`);
-- create index "session_user_id_created_at_id" to table: "sessions"
CREATE INDEX `session_user_id_created_at_id` ON `sessions` (`user_id`, `created_at`, `id`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
-- create "sign_ups" table
CREATE TABLE `sign_ups` (`id` text NOT NULL, `created_at` datetime NOT NULL, `email` text NOT NULL, `email_key` text NOT NULL, `first_name` text NOT NULL DEFAULT (''), `last_name` text NOT NULL DEFAULT (''), `account_name` text NOT NULL DEFAULT (''), `password_hash` text NOT NULL, `token_hash` blob NOT NULL, `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "sign_ups_token_hash_key" to table: "sign_ups"
CREATE UNIQUE INDEX `sign_ups_token_hash_key` ON `sign_ups` (`token_hash`);
-- create index "signup_email_key_created_at_id" to table: "sign_ups"
CREATE INDEX `signup_email_key_created_at_id` ON `sign_ups` (`email_key`, `created_at`, `id`);
-- create index "signup_expires_at" to table: "sign_ups"
CREATE INDEX `signup_expires_at` ON `sign_ups` (`expires_at`);
-- create "teams" table
CREATE TABLE `teams` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `is_default` bool NOT NULL DEFAULT (false), `account_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `teams_accounts_teams` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE NO ACTION);
-- create index "team_account_id_created_at_id" to table: "teams"
CREATE INDEX `team_account_id_created_at_id` ON `teams` (`account_id`, `created_at`, `id`);
-- create index "team_default_of_account" to table: "teams"
CREATE UNIQUE INDEX `team_default_of_account` ON `teams` (`account_id`) WHERE is_default;
-- create "users" table
CREATE TABLE `users` (`id` text NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `email` text NOT NULL, `email_key` text NOT NULL, `first_name` text NOT NULL DEFAULT (''), `last_name` text NOT NULL DEFAULT (''), `job_title` text NOT NULL DEFAULT (''), `password_hash` text NOT NULL DEFAULT (''), `email_verified_at` datetime NOT NULL, `last_seen_at` datetime NULL, `active_team_id` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "users_email_key_key" to table: "users"
CREATE UNIQUE INDEX `users_email_key_key` ON `users` (`email_key`);
-- create "invitation_roles" table
CREATE TABLE `invitation_roles` (`invitation_id` text NOT NULL, `role_id` text NOT NULL, PRIMARY KEY (`invitation_id`, `role_id`), CONSTRAINT `invitation_roles_invitation_id` FOREIGN KEY (`invitation_id`) REFERENCES `invitations` (`id`) ON DELETE CASCADE, CONSTRAINT `invitation_roles_role_id` FOREIGN KEY (`role_id`) REFERENCES `roles` (`id`) ON DELETE CASCADE);
-- create "member_roles" table
CREATE TABLE `member_roles` (`member_id` text NOT NULL, `role_id` text NOT NULL, PRIMARY KEY (`member_id`, `role_id`), CONSTRAINT `member_roles_member_id` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE CASCADE, CONSTRAINT `member_roles_role_id` FOREIGN KEY (`role_id`) REFERENCES `roles` (`id`) ON DELETE CASCADE);
