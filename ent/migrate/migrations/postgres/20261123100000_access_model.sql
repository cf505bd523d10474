-- +goose Up
-- create "divisions" table
CREATE TABLE "divisions" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "account_id" character varying NOT NULL, "parent_id" character varying NULL, PRIMARY KEY ("id"), CONSTRAINT "divisions_accounts_divisions" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "divisions_divisions_children" FOREIGN KEY ("parent_id") REFERENCES "divisions" ("id") ON UPDATE NO ACTION ON DELETE SET NULL);
-- create index "division_account_id_created_at_id" to table: "divisions"
CREATE INDEX "division_account_id_created_at_id" ON "divisions" ("account_id", "created_at", "id");
-- create index "division_parent_id" to table: "divisions"
CREATE INDEX "division_parent_id" ON "divisions" ("parent_id");
-- create "groups" table
CREATE TABLE "groups" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL DEFAULT '', "account_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "groups_accounts_groups" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "group_account_id_created_at_id" to table: "groups"
CREATE INDEX "group_account_id_created_at_id" ON "groups" ("account_id", "created_at", "id");
-- create "group_roles" table
CREATE TABLE "group_roles" ("group_id" character varying NOT NULL, "role_id" character varying NOT NULL, PRIMARY KEY ("group_id", "role_id"), CONSTRAINT "group_roles_group_id" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "group_roles_role_id" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- modify "invitations" table
ALTER TABLE "invitations" ADD COLUMN "granter_id" character varying NOT NULL DEFAULT '', ADD COLUMN "search" character varying NOT NULL DEFAULT '', ADD COLUMN "superseded" boolean NOT NULL DEFAULT false;
-- create index "invitation_pending_of_granter" to table: "invitations"
CREATE INDEX "invitation_pending_of_granter" ON "invitations" ("granter_id") WHERE ((status)::text = 'PENDING'::text);
-- create index "invitation_team_id_email_key_id" to table: "invitations"
CREATE INDEX "invitation_team_id_email_key_id" ON "invitations" ("team_id", "email_key", "id");
-- create index "invitation_team_id_expires_at_id" to table: "invitations"
CREATE INDEX "invitation_team_id_expires_at_id" ON "invitations" ("team_id", "expires_at", "id");
-- create index "invitation_team_id_status_created_at_id" to table: "invitations"
CREATE INDEX "invitation_team_id_status_created_at_id" ON "invitations" ("team_id", "status", "created_at", "id");
-- create "invitation_divisions" table
CREATE TABLE "invitation_divisions" ("invitation_id" character varying NOT NULL, "division_id" character varying NOT NULL, PRIMARY KEY ("invitation_id", "division_id"), CONSTRAINT "invitation_divisions_division_id" FOREIGN KEY ("division_id") REFERENCES "divisions" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "invitation_divisions_invitation_id" FOREIGN KEY ("invitation_id") REFERENCES "invitations" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create "invitation_groups" table
CREATE TABLE "invitation_groups" ("invitation_id" character varying NOT NULL, "group_id" character varying NOT NULL, PRIMARY KEY ("invitation_id", "group_id"), CONSTRAINT "invitation_groups_group_id" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "invitation_groups_invitation_id" FOREIGN KEY ("invitation_id") REFERENCES "invitations" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- modify "members" table
ALTER TABLE "members" ADD COLUMN "email_key" character varying NOT NULL DEFAULT '', ADD COLUMN "sort_name" character varying NOT NULL DEFAULT '', ADD COLUMN "seen_unix" bigint NOT NULL DEFAULT 0, ADD COLUMN "search" character varying NOT NULL DEFAULT '';
-- create index "member_team_id_email_key_id" to table: "members"
CREATE INDEX "member_team_id_email_key_id" ON "members" ("team_id", "email_key", "id");
-- create index "member_team_id_seen_unix_id" to table: "members"
CREATE INDEX "member_team_id_seen_unix_id" ON "members" ("team_id", "seen_unix", "id");
-- create index "member_team_id_sort_name_id" to table: "members"
CREATE INDEX "member_team_id_sort_name_id" ON "members" ("team_id", "sort_name", "id");
-- create index "member_team_id_status_created_at_id" to table: "members"
CREATE INDEX "member_team_id_status_created_at_id" ON "members" ("team_id", "status", "created_at", "id");
-- create "member_divisions" table
CREATE TABLE "member_divisions" ("member_id" character varying NOT NULL, "division_id" character varying NOT NULL, PRIMARY KEY ("member_id", "division_id"), CONSTRAINT "member_divisions_division_id" FOREIGN KEY ("division_id") REFERENCES "divisions" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "member_divisions_member_id" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- create "member_groups" table
CREATE TABLE "member_groups" ("member_id" character varying NOT NULL, "group_id" character varying NOT NULL, PRIMARY KEY ("member_id", "group_id"), CONSTRAINT "member_groups_group_id" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "member_groups_member_id" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE CASCADE);
-- modify "teams" table
ALTER TABLE "teams" ADD COLUMN "active_members" bigint NOT NULL DEFAULT 0, ADD COLUMN "deactivated_members" bigint NOT NULL DEFAULT 0, ADD COLUMN "pending_invitations" bigint NOT NULL DEFAULT 0, ADD COLUMN "expired_invitations" bigint NOT NULL DEFAULT 0, ADD COLUMN "all_invitations" bigint NOT NULL DEFAULT 0;
-- create "ownership_transfers" table
CREATE TABLE "ownership_transfers" ("id" character varying NOT NULL, "created_at" timestamptz NOT NULL, "account_id" character varying NOT NULL, "status" character varying NOT NULL DEFAULT 'PENDING', "expires_at" timestamptz NOT NULL, "from_id" character varying NOT NULL, "to_id" character varying NOT NULL, "team_id" character varying NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "ownership_transfers_members_offered_transfers" FOREIGN KEY ("from_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "ownership_transfers_members_received_transfers" FOREIGN KEY ("to_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE CASCADE, CONSTRAINT "ownership_transfers_teams_transfers" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "ownershiptransfer_from_id" to table: "ownership_transfers"
CREATE INDEX "ownershiptransfer_from_id" ON "ownership_transfers" ("from_id");
-- create index "ownershiptransfer_team_id_created_at" to table: "ownership_transfers"
CREATE INDEX "ownershiptransfer_team_id_created_at" ON "ownership_transfers" ("team_id", "created_at");
-- create index "ownershiptransfer_to_id" to table: "ownership_transfers"
CREATE INDEX "ownershiptransfer_to_id" ON "ownership_transfers" ("to_id");
-- create index "transfer_pending_of_team" to table: "ownership_transfers"
CREATE UNIQUE INDEX "transfer_pending_of_team" ON "ownership_transfers" ("team_id") WHERE ((status)::text = 'PENDING'::text);
