-- +goose Up
-- add column "erased_at" to table: "users"
ALTER TABLE `users` ADD COLUMN `erased_at` datetime NULL;
-- add column "forgotten_at" to table: "invitations"
ALTER TABLE `invitations` ADD COLUMN `forgotten_at` datetime NULL;
-- create index "invitation_ended_by_age" to table: "invitations"
CREATE INDEX `invitation_ended_by_age` ON `invitations` (`updated_at`) WHERE status <> 'PENDING' AND forgotten_at IS NULL;
