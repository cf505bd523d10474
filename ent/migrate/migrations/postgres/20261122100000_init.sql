-- +goose Up
-- create "accounts" table
CREATE TABLE "accounts" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "status" character varying NOT NULL DEFAULT 'ACTIVE', "preset" character varying NOT NULL, "event_seq" bigint NOT NULL DEFAULT 0, "invitation_ttl_hours" bigint NOT NULL DEFAULT 72, "count_pending_as_seats" boolean NOT NULL DEFAULT false, "keep_invitations_of_removed_members" boolean NOT NULL DEFAULT false, "multi_user" boolean NOT NULL DEFAULT true, "max_teams" bigint NULL, "max_members_per_team" bigint NULL, "max_pending_invitations" bigint NULL, PRIMARY KEY ("id"));
-- create "events" table
CREATE TABLE "events" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "seq" bigint NOT NULL, "type" character varying NOT NULL, "actor_id" character varying NOT NULL DEFAULT '', "team_id" character varying NOT NULL DEFAULT '', "subject_id" character varying NOT NULL DEFAULT '', "data" jsonb NOT NULL, "request_id" character varying NOT NULL DEFAULT '', "client_ip" character varying NOT NULL DEFAULT '', "user_agent" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "event_account_id_seq" to table: "events"
CREATE UNIQUE INDEX "event_account_id_seq" ON "events" ("account_id", "seq");
-- create index "event_subject_id_seq" to table: "events"
CREATE INDEX "event_subject_id_seq" ON "events" ("subject_id", "seq");
-- create "jobs" table
CREATE TABLE "jobs" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "account_id" character varying NOT NULL DEFAULT '', "subject_id" character varying NOT NULL, "generation" bigint NOT NULL DEFAULT 0, "attempts" bigint NOT NULL DEFAULT 0, "run_at" timestamptz NOT NULL, "leased_until" timestamptz NULL, "last_error" character varying NOT NULL DEFAULT '', "dead_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "job_dead_at_run_at" to table: "jobs"
CREATE INDEX "job_dead_at_run_at" ON "jobs" ("dead_at", "run_at");
-- create index "job_subject_id" to table: "jobs"
CREATE INDEX "job_subject_id" ON "jobs" ("subject_id");
-- create "sign_ups" table
CREATE TABLE "sign_ups" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "email" character varying NOT NULL, "email_key" character varying NOT NULL, "first_name" character varying NOT NULL DEFAULT '', "last_name" character varying NOT NULL DEFAULT '', "account_name" character varying NOT NULL DEFAULT '', "password_hash" character varying NOT NULL, "token_hash" bytea NOT NULL, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "sign_ups_token_hash_key" to table: "sign_ups"
CREATE UNIQUE INDEX "sign_ups_token_hash_key" ON "sign_ups" ("token_hash");
-- create index "signup_email_key_created_at_id" to table: "sign_ups"
CREATE INDEX "signup_email_key_created_at_id" ON "sign_ups" ("email_key", "created_at", "id");
-- create index "signup_expires_at" to table: "sign_ups"
CREATE INDEX "signup_expires_at" ON "sign_ups" ("expires_at");
-- create "teams" table
CREATE TABLE "teams" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "is_default" boolean NOT NULL DEFAULT false, "account_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "teams_accounts_teams" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "team_account_id_created_at_id" to table: "teams"
CREATE INDEX "team_account_id_created_at_id" ON "teams" ("account_id", "created_at", "id");
-- create index "team_default_of_account" to table: "teams"
CREATE UNIQUE INDEX "team_default_of_account" ON "teams" ("account_id") WHERE is_default;
-- create "users" table
CREATE TABLE "users" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "email" character varying NOT NULL, "email_key" character varying NOT NULL, "first_name" character varying NOT NULL DEFAULT '', "last_name" character varying NOT NULL DEFAULT '', "job_title" character varying NOT NULL DEFAULT '', "password_hash" character varying NOT NULL DEFAULT '', "email_verified_at" timestamptz NOT NULL, "last_seen_at" timestamptz NULL, "active_team_id" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "users_email_key_key" to table: "users"
CREATE UNIQUE INDEX "users_email_key_key" ON "users" ("email_key");
-- create "invitations" table
CREATE TABLE "invitations" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "permissions" jsonb NOT NULL, "all_permissions" boolean NOT NULL DEFAULT false, "allowed_domains" jsonb NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "email" character varying NOT NULL, "email_key" character varying NOT NULL, "first_name" character varying NOT NULL DEFAULT '', "last_name" character varying NOT NULL DEFAULT '', "job_title" character varying NOT NULL DEFAULT '', "note" character varying NOT NULL DEFAULT '', "status" character varying NOT NULL DEFAULT 'PENDING', "expires_at" timestamptz NOT NULL, "token_hash" bytea NOT NULL, "token_generation" bigint NOT NULL DEFAULT 1, "token_mailed" boolean NOT NULL DEFAULT false, "delivery" character varying NOT NULL DEFAULT 'NOT_REQUESTED', "delivery_attempts" bigint NOT NULL DEFAULT 0, "delivery_error" character varying NOT NULL DEFAULT '', "delivery_updated_at" timestamptz NULL, "last_sent_at" timestamptz NULL, "send_count" bigint NOT NULL DEFAULT 0, "resent_at" timestamptz NULL, "resend_day_start" timestamptz NULL, "resends_of_day" bigint NOT NULL DEFAULT 0, "team_id" character varying NOT NULL, "inviter_id" character varying NULL, "accepted_by_id" character varying NULL, PRIMARY KEY ("id"), CONSTRAINT "invitations_teams_invitations" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "invitations_users_accepted_invitations" FOREIGN KEY ("accepted_by_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL, CONSTRAINT "invitations_users_sent_invitations" FOREIGN KEY ("inviter_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "invitation_accepted_by_id" to table: "invitations"
CREATE INDEX "invitation_accepted_by_id" ON "invitations" ("accepted_by_id");
-- create index "invitation_email_key" to table: "invitations"
CREATE INDEX "invitation_email_key" ON "invitations" ("email_key");
-- create index "invitation_inviter_id" to table: "invitations"
CREATE INDEX "invitation_inviter_id" ON "invitations" ("inviter_id");
-- create index "invitation_pending_by_expiry" to table: "invitations"
CREATE INDEX "invitation_pending_by_expiry" ON "invitations" ("expires_at") WHERE ((status)::text = 'PENDING'::text);
-- create index "invitation_pending_of_account" to table: "invitations"
CREATE INDEX "invitation_pending_of_account" ON "invitations" ("account_id") WHERE ((status)::text = 'PENDING'::text);
-- create index "invitation_pending_of_team_email" to table: "invitations"
CREATE UNIQUE INDEX "invitation_pending_of_team_email" ON "invitations" ("team_id", "email_key") WHERE ((status)::text = 'PENDING'::text);
-- create index "invitation_team_id_created_at_id" to table: "invitations"
CREATE INDEX "invitation_team_id_created_at_id" ON "invitations" ("team_id", "created_at", "id");
-- create index "invitations_token_hash_key" to table: "invitations"
CREATE UNIQUE INDEX "invitations_token_hash_key" ON "invitations" ("token_hash");
-- create "roles" table
CREATE TABLE "roles" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "key" character varying NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "permissions" jsonb NOT NULL, "is_system" boolean NOT NULL DEFAULT false, "account_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "roles_accounts_roles" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "role_account_id_key" to table: "roles"
CREATE UNIQUE INDEX "role_account_id_key" ON "roles" ("account_id", "key");
-- create "invitation_roles" table
CREATE TABLE "invitation_roles" ("invitation_id" character varying NOT NULL, "role_id" character varying NOT NULL, PRIMARY KEY ("invitation_id", "role_id"), CONSTRAINT "invitation_roles_invitation_id" FOREIGN KEY ("invitation_id") REFERENCES "invitations" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "invitation_roles_role_id" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create "members" table
CREATE TABLE "members" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "permissions" jsonb NOT NULL, "all_permissions" boolean NOT NULL DEFAULT false, "allowed_domains" jsonb NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "status" character varying NOT NULL DEFAULT 'ACTIVE', "is_owner" boolean NOT NULL DEFAULT false, "team_id" character varying NOT NULL, "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "members_teams_members" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "members_users_members" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "member_owner_of_team" to table: "members"
CREATE UNIQUE INDEX "member_owner_of_team" ON "members" ("team_id") WHERE is_owner;
-- create index "member_team_id_created_at_id" to table: "members"
CREATE INDEX "member_team_id_created_at_id" ON "members" ("team_id", "created_at", "id");
-- create index "member_team_id_user_id" to table: "members"
CREATE UNIQUE INDEX "member_team_id_user_id" ON "members" ("team_id", "user_id");
-- create index "member_user_id" to table: "members"
CREATE INDEX "member_user_id" ON "members" ("user_id");
-- create "member_roles" table
CREATE TABLE "member_roles" ("member_id" character varying NOT NULL, "role_id" character varying NOT NULL, PRIMARY KEY ("member_id", "role_id"), CONSTRAINT "member_roles_member_id" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "member_roles_role_id" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create "sessions" table
CREATE TABLE "sessions" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "token_hash" bytea NOT NULL, "last_seen_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "user_agent" character varying NOT NULL DEFAULT '', "user_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "sessions_users_sessions" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX "session_expires_at" ON "sessions" ("expires_at");
-- create index "session_user_id_created_at_id" to table: "sessions"
CREATE INDEX "session_user_id_created_at_id" ON "sessions" ("user_id", "created_at", "id");
-- create index "sessions_token_hash_key" to table: "sessions"
CREATE UNIQUE INDEX "sessions_token_hash_key" ON "sessions" ("token_hash");
