-- +goose Up
-- create "email_changes" table
CREATE TABLE "email_changes" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "user_id" character varying NOT NULL, "old_email_key" character varying NOT NULL, "new_email" character varying NOT NULL, "new_email_key" character varying NOT NULL, "old_token_hash" bytea NOT NULL, "new_token_hash" bytea NOT NULL, "confirmed_by_old" boolean NOT NULL DEFAULT false, "confirmed_by_new" boolean NOT NULL DEFAULT false, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "email_changes_new_token_hash_key" to table: "email_changes"
CREATE UNIQUE INDEX "email_changes_new_token_hash_key" ON "email_changes" ("new_token_hash");
-- create index "email_changes_old_token_hash_key" to table: "email_changes"
CREATE UNIQUE INDEX "email_changes_old_token_hash_key" ON "email_changes" ("old_token_hash");
-- create index "email_changes_user_id_key" to table: "email_changes"
CREATE UNIQUE INDEX "email_changes_user_id_key" ON "email_changes" ("user_id");
-- create index "emailchange_expires_at" to table: "email_changes"
CREATE INDEX "emailchange_expires_at" ON "email_changes" ("expires_at");
