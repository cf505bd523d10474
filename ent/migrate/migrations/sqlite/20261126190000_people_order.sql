-- +goose Up
-- add column "sort_name" to table: "invitations"
ALTER TABLE `invitations` ADD COLUMN `sort_name` text NOT NULL DEFAULT '';
-- create index "invitation_listed_by_created_at" to table: "invitations"
CREATE INDEX `invitation_listed_by_created_at` ON `invitations` (`team_id`, `created_at`, `id`) WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed_by_sort_name" to table: "invitations"
CREATE INDEX `invitation_listed_by_sort_name` ON `invitations` (`team_id`, `sort_name`, `id`) WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed_by_email_key" to table: "invitations"
CREATE INDEX `invitation_listed_by_email_key` ON `invitations` (`team_id`, `email_key`, `id`) WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
-- create index "invitation_listed" to table: "invitations"
CREATE INDEX `invitation_listed` ON `invitations` (`team_id`, `id`) WHERE status IN ('PENDING', 'EXPIRED') AND NOT superseded;
