-- +goose Up
-- modify "invitations" table
ALTER TABLE "invitations" ADD COLUMN "unconfirmed_at" timestamptz NULL;
-- create "cool_offs" table
CREATE TABLE "cool_offs" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "address_hash" character varying NOT NULL, "mailbox_hash" character varying NOT NULL, "updated_at" timestamptz NOT NULL, "declined" bigint NOT NULL DEFAULT 0, "declined_since" timestamptz NULL, "revoked" bigint NOT NULL DEFAULT 0, "revoked_since" timestamptz NULL, "until" timestamptz NULL, "blocked_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "cooloff_account_id_address_hash" to table: "cool_offs"
CREATE UNIQUE INDEX "cooloff_account_id_address_hash" ON "cool_offs" ("account_id", "address_hash");
-- create index "cooloff_account_id_mailbox_hash" to table: "cool_offs"
CREATE INDEX "cooloff_account_id_mailbox_hash" ON "cool_offs" ("account_id", "mailbox_hash");
-- create index "cooloff_address_hash_created_at_id" to table: "cool_offs"
CREATE INDEX "cooloff_address_hash_created_at_id" ON "cool_offs" ("address_hash", "created_at", "id");
