-- +goose Up
-- modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "client_ip" character varying NOT NULL DEFAULT '';
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "actor_id" character varying NOT NULL, "key" character varying NOT NULL, "input_hash" bytea NOT NULL, "outcome" bytea NOT NULL, PRIMARY KEY ("id"));
-- create index "idempotencykey_account_id_actor_id_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_account_id_actor_id_key" ON "idempotency_keys" ("account_id", "actor_id", "key");
-- create index "idempotencykey_created_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_created_at" ON "idempotency_keys" ("created_at");
-- create "password_resets" table
CREATE TABLE "password_resets" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "email_key" character varying NOT NULL, "user_id" character varying NOT NULL DEFAULT '', "token_hash" bytea NOT NULL, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "password_resets_token_hash_key" to table: "password_resets"
CREATE UNIQUE INDEX "password_resets_token_hash_key" ON "password_resets" ("token_hash");
-- create index "passwordreset_email_key" to table: "password_resets"
CREATE INDEX "passwordreset_email_key" ON "password_resets" ("email_key");
-- create index "passwordreset_expires_at" to table: "password_resets"
CREATE INDEX "passwordreset_expires_at" ON "password_resets" ("expires_at");
