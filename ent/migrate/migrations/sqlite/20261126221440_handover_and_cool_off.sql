-- +goose Up
-- add column "unconfirmed_at" to table: "invitations"
ALTER TABLE `invitations` ADD COLUMN `unconfirmed_at` datetime NULL;
-- create "cool_offs" table
CREATE TABLE `cool_offs` (`id` text NOT NULL, `created_at` datetime NOT NULL, `account_id` text NOT NULL, `address_hash` text NOT NULL, `mailbox_hash` text NOT NULL, `updated_at` datetime NOT NULL, `declined` integer NOT NULL DEFAULT (0), `declined_since` datetime NULL, `revoked` integer NOT NULL DEFAULT (0), `revoked_since` datetime NULL, `until` datetime NULL, `blocked_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "cooloff_account_id_address_hash" to table: "cool_offs"
CREATE UNIQUE INDEX `cooloff_account_id_address_hash` ON `cool_offs` (`account_id`, `address_hash`);
-- create index "cooloff_account_id_mailbox_hash" to table: "cool_offs"
CREATE INDEX `cooloff_account_id_mailbox_hash` ON `cool_offs` (`account_id`, `mailbox_hash`);
-- create index "cooloff_address_hash_created_at_id" to table: "cool_offs"
CREATE INDEX `cooloff_address_hash_created_at_id` ON `cool_offs` (`address_hash`, `created_at`, `id`);
