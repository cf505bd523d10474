-- +goose Up
-- create "api_keys" table
CREATE TABLE "api_keys" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "account_wide" boolean NOT NULL, "name" character varying NOT NULL, "permissions" jsonb NOT NULL, "secret_hash" bytea NOT NULL, "hint" character varying NOT NULL, "expires_at" timestamptz NULL, "revoked_at" timestamptz NULL, "last_used_at" timestamptz NULL, "last_used_ip" character varying NOT NULL DEFAULT '', "account_id" character varying NOT NULL, "team_id" character varying NULL, "creator_id" character varying NULL, PRIMARY KEY ("id"), CONSTRAINT "api_keys_accounts_api_keys" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "api_keys_teams_api_keys" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE SET NULL, CONSTRAINT "api_keys_users_created_keys" FOREIGN KEY ("creator_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "api_keys_secret_hash_key" to table: "api_keys"
CREATE UNIQUE INDEX "api_keys_secret_hash_key" ON "api_keys" ("secret_hash");
-- create index "apikey_account_id_created_at_id" to table: "api_keys"
CREATE INDEX "apikey_account_id_created_at_id" ON "api_keys" ("account_id", "created_at", "id");
-- create index "apikey_team_id" to table: "api_keys"
CREATE INDEX "apikey_team_id" ON "api_keys" ("team_id");
-- modify "invitations" table
ALTER TABLE "invitations" ADD COLUMN "inviter_key_id" character varying NULL, ADD CONSTRAINT "invitations_api_keys_sent_invitations" FOREIGN KEY ("inviter_key_id") REFERENCES "api_keys" ("id") ON UPDATE NO ACTION ON DELETE SET NULL;
-- create index "invitation_inviter_key_id" to table: "invitations"
CREATE INDEX "invitation_inviter_key_id" ON "invitations" ("inviter_key_id");
